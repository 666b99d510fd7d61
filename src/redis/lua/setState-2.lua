-- Writes a value of the session's state; never brings a session back.
-- KEYS 1 session, 2 state
-- ARGV 1 key, 2 JSON
-- Answer: 1 done, 0 no session
local life = redis.call('PTTL', KEYS[1])
if life <= 0 then
  return 0
end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
redis.call('PEXPIRE', KEYS[2], life)
return 1

-- Writes a value of the session's state; never brings a session back.
-- KEYS 1 session, 2 state
-- ARGV 1 key, 2 JSON, 3 bytes that all keys and values may have (0: any), 4 how many keys there may be (0: any)
-- Answer: 1 done, 0 no session, -1 too many bytes, -2 too many keys
local life = redis.call('PTTL', KEYS[1])
if life <= 0 then
  return 0
end
local grows = #ARGV[2] - redis.call('HSTRLEN', KEYS[2], ARGV[1])
local new = redis.call('HEXISTS', KEYS[2], ARGV[1]) == 0
if new then
  grows = grows + #ARGV[1]
  local keys = tonumber(ARGV[4])
  if keys > 0 and redis.call('HLEN', KEYS[2]) >= keys then
    return -2
  end
end
-- A state that is too large already (the limit was lowered) may still be made smaller.
local bytes = tonumber(ARGV[3])
if bytes > 0 and grows > 0 and tonumber(redis.call('HGET', KEYS[1], 'stateBytes') or '0') + grows > bytes then
  return -1
end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
redis.call('HINCRBY', KEYS[1], 'stateBytes', string.format('%d', grows))
redis.call('PEXPIRE', KEYS[2], life)
return 1

-- Journals a call that has no stream of its own.
-- KEYS 1 session, 2 streams, 3 call, 4 running calls
-- ARGV 1 call id, 2 owner, 3 journal, 4 life in ms, 5 how long it counts as running unless renewed, in ms
-- Answer: 1 done, 0 no session
if redis.call('EXISTS', KEYS[1]) == 0 then
  return 0
end
redis.call('HSET', KEYS[3], 'owner', ARGV[2], 'journal', ARGV[3])
redis.call('PEXPIRE', KEYS[3], ARGV[4])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[2], string.format('%d', now + tonumber(ARGV[4])), ARGV[1])
if redis.call('PTTL', KEYS[2]) < tonumber(ARGV[4]) then
  redis.call('PEXPIRE', KEYS[2], ARGV[4])
end
redis.call('ZADD', KEYS[4], string.format('%d', now + tonumber(ARGV[5])), ARGV[1])
redis.call('PEXPIRE', KEYS[4], ARGV[5])
return 1

-- Gives a session its place among the live ones, unless the fleet is full.
-- KEYS 1 index of live sessions
-- ARGV 1 member, 2 score (earliest end, epoch ms), 3 cap (0: none)
-- Answer: 1 admitted, 0 full
local cap = tonumber(ARGV[3])
if cap > 0 and redis.call('ZCARD', KEYS[1]) >= cap then
  return 0
end
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
-- The index outlives every session in it, and goes when no session is opened for long.
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1

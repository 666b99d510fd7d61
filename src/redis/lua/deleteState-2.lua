-- Removes a value of the session's state.
-- KEYS 1 session, 2 state
-- ARGV 1 key
-- Answer: 1 it was there, 0 it was not
local size = redis.call('HSTRLEN', KEYS[2], ARGV[1])
if redis.call('HDEL', KEYS[2], ARGV[1]) == 0 then
  return 0
end
if redis.call('EXISTS', KEYS[1]) == 1 then
  redis.call('HINCRBY', KEYS[1], 'stateBytes', string.format('%d', -size - #ARGV[1]))
end
return 1

-- Keeps the streams of a session that are in use: a call can be silent for long, and a stream can be open for ever.
-- KEYS 1 session, 2 streams
-- ARGV 1 tag that the session's other keys begin with, 2 life in ms, then stream ids
-- Answer: 1 done, 0 no session
if redis.call('EXISTS', KEYS[1]) == 0 then
  return 0
end
local time = redis.call('TIME')
local ends = string.format('%d', time[1] * 1000 + math.floor(time[2] / 1000) + tonumber(ARGV[2]))
for i = 3, #ARGV do
  redis.call('PEXPIRE', ARGV[1] .. 'log:' .. ARGV[i], ARGV[2])
  redis.call('PEXPIRE', ARGV[1] .. 'stream:' .. ARGV[i], ARGV[2])
  redis.call('ZADD', KEYS[2], 'XX', ends, ARGV[i])
end
redis.call('PEXPIRE', KEYS[2], ARGV[2])
return 1

-- Keeps the streams of a session that are in use: a call can be silent for long, and a stream can be open for ever.
-- KEYS 1 session, 2 streams
-- ARGV 1 tag that the session's other keys begin with, 2 life in ms, 3 how long a call counts as running, in ms,
--      then stream ids (those of calls are the calls' own)
-- Answer: 1 done, 0 no session
if redis.call('EXISTS', KEYS[1]) == 0 then
  return 0
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local ends = string.format('%d', now + tonumber(ARGV[2]))
local running = ARGV[1] .. 'running'
for i = 4, #ARGV do
  redis.call('PEXPIRE', ARGV[1] .. 'log:' .. ARGV[i], ARGV[2])
  redis.call('PEXPIRE', ARGV[1] .. 'stream:' .. ARGV[i], ARGV[2])
  redis.call('ZADD', KEYS[2], 'XX', ends, ARGV[i])
  redis.call('ZADD', running, 'XX', string.format('%d', now + tonumber(ARGV[3])), ARGV[i])
end
redis.call('PEXPIRE', running, ARGV[3])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
return 1

-- Ends a session: record, state and all its streams. Tells every node.
-- KEYS 1 session, 2 state, 3 streams
-- ARGV 1 tag that the session's other keys begin with, 2 bus channel, 3 signal
-- Answer: {1 it was there or 0 it was not, the pools it had a place in}
--
-- The keys of the streams are computed here: they share the slot of the declared ones by their tag, and reading them
-- first in a call of its own would leave a gap for a stream that opens in between.
local pools = redis.call('HGET', KEYS[1], 'pools') or ''
local there = redis.call('DEL', KEYS[1])
for _, stream in ipairs(redis.call('ZRANGE', KEYS[3], 0, -1)) do
  redis.call('UNLINK', ARGV[1] .. 'log:' .. stream, ARGV[1] .. 'stream:' .. stream)
end
redis.call('UNLINK', KEYS[2], KEYS[3], ARGV[1] .. 'running')
if there == 1 then
  redis.call('PUBLISH', ARGV[2], ARGV[3])
end
return { there, pools }

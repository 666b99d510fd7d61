-- Stores a change for the whole fleet and tells every node, in the same order.
-- KEYS 1 changes
-- ARGV 1 change (JSON), 2 changes kept, 3 life in ms, 4 channel
-- Answer: its position
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
local previous = last[1] and last[1][1] or '0-0'
local position = redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[2], '*', 'd', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('PUBLISH', ARGV[4], previous .. ' ' .. position .. ' ' .. ARGV[1])
return position

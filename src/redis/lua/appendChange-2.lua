-- Stores a change for the whole fleet and tells every node, in the same order.
-- KEYS 1 changes, 2 position of the newest one, kept for longer than the changes themselves
-- ARGV 1 change (JSON), 2 changes kept, 3 life in ms, 4 life of the position in ms, 5 channel
-- Answer: its position
local previous = redis.call('GET', KEYS[2]) or '0-0'
local position = redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[2], '*', 'd', ARGV[1], 'p', previous)
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('SET', KEYS[2], position, 'PX', ARGV[4])
redis.call('PUBLISH', ARGV[5], previous .. ' ' .. position .. ' ' .. ARGV[1])
return position

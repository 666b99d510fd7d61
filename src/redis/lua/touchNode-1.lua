-- Notes a heartbeat, by the clock of Redis: nodes do not agree on the time.
-- KEYS 1 nodes
-- ARGV 1 token, 2 life of the list in ms
local time = redis.call('TIME')
redis.call('ZADD', KEYS[1], string.format('%d', time[1] * 1000 + math.floor(time[2] / 1000)), ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1

-- Tokens of nodes that were not heard of for a while.
-- KEYS 1 nodes
-- ARGV 1 how long, in ms
local time = redis.call('TIME')
local since = time[1] * 1000 + math.floor(time[2] / 1000) - tonumber(ARGV[1])
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('%d', since))

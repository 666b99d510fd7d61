-- Reads changes after a position.
-- KEYS 1 changes, 2 position of the newest one
-- ARGV 1 position, 2 how many at most
-- Answer: {newest position, entries}
return { redis.call('GET', KEYS[2]) or '0-0', redis.call('XRANGE', KEYS[1], '(' .. ARGV[1], '+', 'COUNT', ARGV[2]) }

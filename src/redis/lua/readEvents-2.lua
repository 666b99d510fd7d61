-- Reads events after a position.
-- KEYS 1 log, 2 stream
-- ARGV 1 position, 2 how many at most
-- Answer: {known, over, holder ('' none), entries}
local entries = redis.call('XRANGE', KEYS[1], '(' .. ARGV[1], '+', 'COUNT', ARGV[2])
local newest = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
local over = 0
-- The mark of the end is the fourth of an entry's fields.
if newest and #newest[2] > 6 and (#entries == 0 or entries[#entries][1] == newest[1]) then
  over = 1
end
return { newest and 1 or 0, over, redis.call('HGET', KEYS[2], 'tail') or '', entries }

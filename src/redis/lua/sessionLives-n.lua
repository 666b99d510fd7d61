-- How long sessions live on, and where they have a place.
-- KEYS any number of sessions
-- Answer: for each its life in ms, negative where it has ended, and the names of its pools or nil
local found = {}
for i, key in ipairs(KEYS) do
  found[i] = {redis.call('PTTL', key), redis.call('HGET', key, 'pools')}
end
return found

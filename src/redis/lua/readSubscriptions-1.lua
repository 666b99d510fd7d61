-- Reads what a session is subscribed to, and since when.
-- KEYS 1 session
-- ARGV 1 what fields of subscriptions begin with
-- Answer: field, value, ...
local found = {}
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  if string.sub(field, 1, #ARGV[1]) == ARGV[1] then
    found[#found + 1] = field
    found[#found + 1] = redis.call('HGET', KEYS[1], field)
  end
end
return found

-- Changes fields of a session that lives; never brings one back.
-- KEYS 1 session
-- ARGV 1 how many arguments follow to set, then field, value ...; then fields to remove
-- Answer: 1 done, 0 no session
if redis.call('EXISTS', KEYS[1]) == 0 then
  return 0
end
local set = tonumber(ARGV[1])
if set > 0 then
  redis.call('HSET', KEYS[1], unpack(ARGV, 2, 1 + set))
end
if #ARGV > 1 + set then
  redis.call('HDEL', KEYS[1], unpack(ARGV, 2 + set))
end
return 1

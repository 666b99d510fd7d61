-- Subscribes a session that lives to a resource; never brings one back.
-- KEYS 1 session
-- ARGV 1 field of the subscription, 2 what such fields begin with, 3 how many there may be, 4 since when
-- Answer: 1 done, 0 no session, -1 it has as many as there may be
if redis.call('EXISTS', KEYS[1]) == 0 then
  return 0
end
local most = tonumber(ARGV[3])
if redis.call('HLEN', KEYS[1]) >= most and redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then
  local held = 0
  for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
    if string.sub(field, 1, #ARGV[2]) == ARGV[2] then
      held = held + 1
    end
  end
  if held >= most then
    return -1
  end
end
redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[4])
return 1

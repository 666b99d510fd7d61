-- Takes a lease that is free, or renews one's own.
-- KEYS 1 lease
-- ARGV 1 holder, 2 life in ms
-- Answer: 0 another one holds it, 1 taken, 2 renewed
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then
  return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return holder and 2 or 1

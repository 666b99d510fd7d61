-- Gives a lease back, if it is one's own.
-- KEYS 1 lease
-- ARGV 1 holder
-- Answer: 1 given back, 0 held by another or nobody
if redis.call('GET', KEYS[1]) == ARGV[1] then
  return redis.call('DEL', KEYS[1])
end
return 0

-- Gives a stream up and notes how far it was sent.
-- KEYS 1 session, 2 stream
-- ARGV 1 holder, 2 position, 3 bus channel, 4 signal
-- Answer: 1 done, 0 no session, or held by another
if redis.call('EXISTS', KEYS[1]) == 0 or redis.call('HGET', KEYS[2], 'tail') ~= ARGV[1] then
  return 0
end
-- In this order: a hash that loses its last field is gone, and the next field would begin one that lives for ever.
redis.call('HSET', KEYS[2], 'delivered', ARGV[2])
redis.call('HDEL', KEYS[2], 'tail', 'former')
redis.call('PUBLISH', ARGV[3], ARGV[4])
return 1

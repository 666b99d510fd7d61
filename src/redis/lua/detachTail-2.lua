-- Gives a stream up and notes how far it was sent.
-- KEYS 1 session, 2 stream
-- ARGV 1 holder, 2 position ('' it has sent nothing: what is noted stands), 3 bus channel, 4 signal
-- Answer: 1 done, 0 no session, or held by another
if redis.call('EXISTS', KEYS[1]) == 0 or redis.call('HGET', KEYS[2], 'tail') ~= ARGV[1] then
  return 0
end
-- In this order: a hash that loses its last field is gone, and the next field would begin one that lives for ever.
if ARGV[2] ~= '' then
  redis.call('HSET', KEYS[2], 'delivered', ARGV[2])
  redis.call('HDEL', KEYS[2], 'tail', 'former')
else
  -- Who was taken over from may still say how far it got.
  redis.call('HDEL', KEYS[2], 'tail')
end
redis.call('PUBLISH', ARGV[3], ARGV[4])
return 1

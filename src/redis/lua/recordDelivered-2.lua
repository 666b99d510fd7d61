-- Notes how far the holder of a tail has sent.
-- KEYS 1 session, 2 stream
-- ARGV 1 holder, 2 position
-- Answer: 1 noted, 0 no session, or held by another
if redis.call('EXISTS', KEYS[1]) == 0 or redis.call('HGET', KEYS[2], 'tail') ~= ARGV[1] then
  return 0
end
redis.call('HSET', KEYS[2], 'delivered', ARGV[2])
-- Who has begun to send does not go back to where a former holder says, at last, that it stopped.
redis.call('HDEL', KEYS[2], 'former')
return 1

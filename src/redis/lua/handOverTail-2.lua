-- A holder that was taken over from says how far it got, and the new one is told.
-- KEYS 1 session, 2 stream
-- ARGV 1 former holder, 2 position ('' it has sent nothing: what is noted stands), 3 channel prefix, 4 session id, 5 stream id
-- Answer: 1 done, 0 no session, or the stream has changed hands again
if redis.call('EXISTS', KEYS[1]) == 0 or redis.call('HGET', KEYS[2], 'former') ~= ARGV[1] then
  return 0
end
if ARGV[2] ~= '' then
  redis.call('HSET', KEYS[2], 'delivered', ARGV[2])
end
redis.call('HDEL', KEYS[2], 'former')
local token, connection = string.match(redis.call('HGET', KEYS[2], 'tail') or '', '^(%S+) (%S+)$')
if token then
  local note = { s = ARGV[4], t = ARGV[5], n = token, c = connection, g = redis.call('HGET', KEYS[2], 'delivered') or '' }
  redis.call('PUBLISH', ARGV[3] .. token, cjson.encode(note))
end
return 1

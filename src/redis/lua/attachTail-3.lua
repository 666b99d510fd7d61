-- Makes one connection the only sender of a stream. The former one is told.
-- KEYS 1 session, 2 streams, 3 stream
-- ARGV 1 stream id, 2 holder, 3 '1' to take over from another holder, 4 life in ms, 5 channel prefix, 6 session id,
--      7 '1' when the stream may begin with this
-- Answer: {'gone'} | {'unknown'} | {'held', holder} | {'ok', position delivered by the last tail ('' none), former ('' none)}
if redis.call('EXISTS', KEYS[1]) == 0 then
  return { 'gone' }
end
if ARGV[7] ~= '1' and redis.call('EXISTS', KEYS[3]) == 0 then
  return { 'unknown' }
end
local former = redis.call('HGET', KEYS[3], 'tail')
if former == ARGV[2] then
  former = false
end
if former and ARGV[3] ~= '1' then
  return { 'held', former }
end
redis.call('HSET', KEYS[3], 'tail', ARGV[2])
local life = tonumber(ARGV[4])
if redis.call('PTTL', KEYS[3]) < life then
  redis.call('PEXPIRE', KEYS[3], ARGV[4])
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[2], 'GT', string.format('%d', now + life), ARGV[1])
if redis.call('PTTL', KEYS[2]) < life then
  redis.call('PEXPIRE', KEYS[2], ARGV[4])
end
if former then
  -- The first one that was taken over from and has not handed over yet: who came after it has sent nothing.
  redis.call('HSETNX', KEYS[3], 'former', former)
  local token = string.match(former, '^(%S+) ')
  local newToken, connection = string.match(ARGV[2], '^(%S+) (%S+)$')
  redis.call('PUBLISH', ARGV[5] .. token, cjson.encode({ s = ARGV[6], t = ARGV[1], n = newToken, c = connection }))
end
return { 'ok', redis.call('HGET', KEYS[3], 'delivered') or '', former or '' }

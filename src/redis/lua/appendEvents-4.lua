-- Appends events to a stream's log and wakes the node that tails it: stored first, told after.
-- KEYS 1 session, 2 streams, 3 stream, 4 log
-- ARGV 1 stream id, 2 owner ('' none), 3 '1' when this opens the stream, 4 holder of its tail ('' none),
--      5 life of an open log in ms, 6 life of a finished log in ms, 7 events kept, 8 own node token,
--      9 channel prefix, 10 session id, 11 largest payload a wake-up carries, then data, end ('1' or '') ...
-- Answer: {'gone'} | {'fenced'} | {'ok', position before, holder ('' none), positions ...}
if redis.call('EXISTS', KEYS[1]) == 0 then
  return { 'gone' }
end
if ARGV[3] == '1' then
  redis.call('HSET', KEYS[3], 'owner', ARGV[2])
  if ARGV[4] ~= '' then
    redis.call('HSET', KEYS[3], 'tail', ARGV[4])
  end
elseif ARGV[2] ~= '' and redis.call('HGET', KEYS[3], 'owner') ~= ARGV[2] then
  return { 'fenced' }
end

local last = redis.call('XREVRANGE', KEYS[4], '+', '-', 'COUNT', 1)
local previous = last[1] and last[1][1] or '0-0'
local tail = redis.call('HGET', KEYS[3], 'tail') or ''
local answer = { 'ok', previous, tail }
local entries = {}
local size = 0
local ended = false
for i = 12, #ARGV, 2 do
  local position
  if ARGV[i + 1] == '1' then
    ended = true
    position = redis.call('XADD', KEYS[4], 'MAXLEN', '~', ARGV[7], '*', 'd', ARGV[i], 'e', '1')
  else
    position = redis.call('XADD', KEYS[4], 'MAXLEN', '~', ARGV[7], '*', 'd', ARGV[i])
  end
  answer[#answer + 1] = position
  entries[#entries + 1] = { position, ARGV[i], ARGV[i + 1] }
  size = size + #ARGV[i]
end

local life = ended and ARGV[6] or ARGV[5]
redis.call('PEXPIRE', KEYS[4], life)
redis.call('HSET', KEYS[3], 'known', '1')
redis.call('PEXPIRE', KEYS[3], life)
-- What has run out by now leaves the list, so that a long session with many streams stays small.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', string.format('%d', now - 1))
redis.call('ZADD', KEYS[2], string.format('%d', now + tonumber(life)), ARGV[1])
local longest = redis.call('PTTL', KEYS[2])
if longest < tonumber(life) then
  redis.call('PEXPIRE', KEYS[2], life)
end

if tail ~= '' then
  local token, connection = string.match(tail, '^(%S+) (%S+)$')
  if token ~= ARGV[8] then
    local note = { s = ARGV[10], t = ARGV[1], n = token, c = connection }
    if size <= tonumber(ARGV[11]) then
      note.p = previous
      note.e = entries
    end
    redis.call('PUBLISH', ARGV[9] .. token, cjson.encode(note))
  end
end
return answer

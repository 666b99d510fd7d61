-- Appends events to a stream's log and wakes the node that tails it: stored first, told after.
-- KEYS 1 session, 2 streams, 3 stream, 4 log, 5 call (the stream itself where the call owns it; the session where there is none),
--      6 running calls
-- ARGV 1 session id, 2 stream id, 3 call id ('' none), 4 owner, 5 '1' when this opens the call, 6 holder of the tail ('' none),
--      7 journal, 8 '1' when this finishes the call, 9 batch ('' none), 10 life of an open log in ms,
--      11 life of a finished log in ms, 12 events kept, 13 own node token, 14 channel prefix,
--      15 largest payload a wake-up carries, 16 '1' when this is tried again, 17 how long a call
--      counts as running unless renewed, in ms, then data, end ('1' or '') ...
-- Answer: {'gone'} | {'fenced'} | {'ok', position before, holder ('' none), positions ...}
local FIRST = 18
if redis.call('EXISTS', KEYS[1]) == 0 then
  return { 'gone' }
end
local ownsStream = KEYS[5] == KEYS[3]
if ARGV[5] == '1' then
  local owner = redis.call('HGET', KEYS[5], 'owner')
  if owner and owner ~= ARGV[4] then
    return { 'fenced' }
  end
  redis.call('HSET', KEYS[5], 'owner', ARGV[4], 'journal', ARGV[7])
  if ARGV[6] ~= '' then
    redis.call('HSET', KEYS[3], 'tail', ARGV[6])
  end
elseif ARGV[3] ~= '' then
  local state = redis.call('HMGET', KEYS[5], 'owner', 'batch')
  -- The last append of a call takes it out of the journal; asked again, it is recognized by its batch.
  if state[1] ~= ARGV[4] and not (ARGV[9] ~= '' and state[2] == ARGV[9]) then
    return { 'fenced' }
  end
end
if not ownsStream and redis.call('HEXISTS', KEYS[3], 'owned') == 1 then
  return { 'fenced' }
end

local tail = redis.call('HGET', KEYS[3], 'tail') or ''
local last = redis.call('XREVRANGE', KEYS[4], '+', '-', 'COUNT', 1)
local previous = last[1] and last[1][1] or '0-0'

if ARGV[16] == '1' then
  -- Only the newest entries can be of an append whose answer was lost.
  local known = redis.call('XREVRANGE', KEYS[4], '+', '-', 'COUNT', 200)
  local positions = {}
  local before
  for _, entry in ipairs(known) do
    if entry[2][6] == ARGV[9] then
      table.insert(positions, 1, entry[1])
      before = entry[2][4]
    end
  end
  if before then
    local answer = { 'ok', before, tail }
    for _, position in ipairs(positions) do
      answer[#answer + 1] = position
    end
    return answer
  end
end

local answer = { 'ok', previous, tail }
local entries = {}
local size = 0
local ended = false
local before = previous
for i = FIRST, #ARGV, 2 do
  local position
  if ARGV[i + 1] == '1' then
    ended = true
    position = redis.call('XADD', KEYS[4], 'MAXLEN', '~', ARGV[12], '*', 'd', ARGV[i], 'p', before, 'b', ARGV[9], 'e', '1')
  else
    position = redis.call('XADD', KEYS[4], 'MAXLEN', '~', ARGV[12], '*', 'd', ARGV[i], 'p', before, 'b', ARGV[9])
  end
  before = position
  answer[#answer + 1] = position
  entries[#entries + 1] = { position, ARGV[i], ARGV[i + 1] }
  size = size + #ARGV[i]
end

local life = ended and ARGV[11] or ARGV[10]
if ownsStream then
  redis.call('HSET', KEYS[3], 'owned', '1')
else
  redis.call('HSET', KEYS[3], 'known', '1')
end
if ARGV[8] == '1' then
  redis.call('HSET', KEYS[5], 'batch', ARGV[9])
  redis.call('HDEL', KEYS[5], 'owner', 'journal', 'claims')
  if not ownsStream then
    -- Long enough to recognize a second try of this append.
    redis.call('PEXPIRE', KEYS[5], 60000)
  end
end
redis.call('PEXPIRE', KEYS[4], life)
redis.call('PEXPIRE', KEYS[3], life)
-- What has run out by now leaves the list, so that a long session with many streams stays small.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', string.format('%d', now - 1))
redis.call('ZADD', KEYS[2], string.format('%d', now + tonumber(life)), ARGV[2])
if redis.call('PTTL', KEYS[2]) < tonumber(life) then
  redis.call('PEXPIRE', KEYS[2], life)
end

-- A call counts as running from its first append to its last one.
if ARGV[5] == '1' then
  redis.call('ZADD', KEYS[6], string.format('%d', now + tonumber(ARGV[17])), ARGV[3])
  redis.call('PEXPIRE', KEYS[6], ARGV[17])
end
if ARGV[8] == '1' then
  redis.call('ZREM', KEYS[6], ARGV[3])
end

if tail ~= '' then
  local token, connection = string.match(tail, '^(%S+) (%S+)$')
  if token ~= ARGV[13] then
    local note = { s = ARGV[1], t = ARGV[2], n = token, c = connection }
    if size <= tonumber(ARGV[15]) then
      note.p = previous
      note.e = entries
    end
    redis.call('PUBLISH', ARGV[14] .. token, cjson.encode(note))
  end
end
return answer

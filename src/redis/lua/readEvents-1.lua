-- Reads events after a position, and says whether some between are missing.
-- KEYS 1 log
-- ARGV 1 position, 2 how many at most
-- Answer: {known, complete, entries}
local entries = redis.call('XRANGE', KEYS[1], '(' .. ARGV[1], '+', 'COUNT', ARGV[2])
if #entries == 0 then
  return { redis.call('EXISTS', KEYS[1]), 1, entries }
end
-- A position that is in the log has lost nothing after it. One that is not was trimmed, or is the very beginning:
-- then any trimming at all means a gap.
local complete = 1
if ARGV[1] == '0-0' or #redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1]) == 0 then
  local info = redis.call('XINFO', 'STREAM', KEYS[1])
  local added, length
  for i = 1, #info, 2 do
    if info[i] == 'entries-added' then added = info[i + 1] end
    if info[i] == 'length' then length = info[i + 1] end
  end
  if added and added > length then
    complete = 0
  end
end
return { 1, complete, entries }

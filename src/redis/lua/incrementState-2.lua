-- Adds to a number of the session's state.
-- KEYS 1 session, 2 state
-- ARGV 1 key, 2 what to add, 3 bytes that all keys and values may have (0: any), 4 how many keys there may be (0: any)
-- Answer: the new value as text, 0 no session, -1 not a number, -2 too many bytes, -3 too many keys
local life = redis.call('PTTL', KEYS[1])
if life <= 0 then
  return 0
end
local value = redis.call('HGET', KEYS[2], ARGV[1])
local number = tonumber(value or '0')
-- The state holds JSON: what Lua reads as a number but JSON does not (hexadecimal, blanks, inf) is not one.
if not number or (value and not string.match(value, '^%-?%d+%.?%d*[eE]?[+-]?%d*$')) then
  return -1
end
local total = number + tonumber(ARGV[2])
if total ~= total or total == math.huge or total == -math.huge then
  return -1
end
local sum = string.format('%.17g', total)
local grows = #sum - #(value or '')
if not value then
  grows = grows + #ARGV[1]
  local keys = tonumber(ARGV[4])
  if keys > 0 and redis.call('HLEN', KEYS[2]) >= keys then
    return -3
  end
end
local bytes = tonumber(ARGV[3])
if bytes > 0 and grows > 0 and tonumber(redis.call('HGET', KEYS[1], 'stateBytes') or '0') + grows > bytes then
  return -2
end
redis.call('HSET', KEYS[2], ARGV[1], sum)
redis.call('HINCRBY', KEYS[1], 'stateBytes', string.format('%d', grows))
redis.call('PEXPIRE', KEYS[2], life)
return sum

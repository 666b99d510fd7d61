-- Adds to a number of the session's state.
-- KEYS 1 session, 2 state
-- ARGV 1 key, 2 what to add
-- Answer: the new value as text, 0 no session, -1 not a number
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
redis.call('HSET', KEYS[2], ARGV[1], sum)
redis.call('PEXPIRE', KEYS[2], life)
return sum

-- Loads what a request needs of its session and renews its life.
-- KEYS 1 session, 2 state, 3 running calls
-- ARGV 1 idle life in ms, 2 absolute life in ms (0: none), 3 '1' when the session must be of 4, its principal,
--      then the names of the fields to load
-- Answer: the values and how many journaled calls run, or nil where there is no session
local values = redis.call('HMGET', KEYS[1], 'createdAt', unpack(ARGV, 5))
local created = tonumber(values[1])
if not created then
  return false
end
if ARGV[3] == '1' and (redis.call('HGET', KEYS[1], 'principal') or '') ~= ARGV[4] then
  return false
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local life = tonumber(ARGV[1])
local age = tonumber(ARGV[2])
if age > 0 then
  life = math.min(life, created + age - now)
  if life <= 0 then
    return false
  end
end
local ms = string.format('%d', life)
redis.call('HSET', KEYS[1], 'lastActive', string.format('%d', now))
redis.call('PEXPIRE', KEYS[1], ms)
redis.call('PEXPIRE', KEYS[2], ms)
values[#ARGV - 2] = redis.call('ZCOUNT', KEYS[3], string.format('%d', now), '+inf')
return values

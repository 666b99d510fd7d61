-- Loads what a request needs of its session and renews its life.
-- KEYS 1 session, 2 state, 3 running calls
-- ARGV 1 idle life in ms, 2 absolute life in ms (0: none), 3 the principal that it must be of (absent: of any)
-- Answer: the values of the fields below and how many journaled calls run, or nil where there is no session
-- (The names stand here and not in the arguments: they would be written, sent and read with every request.)
local values = redis.call('HMGET', KEYS[1], 'createdAt', 'v', 'transportType', 'protocolVersion', 'initialize',
  'clientInfo', 'principal', 'initialized', 'logLevel', 'changesPosition')
local created = tonumber(values[1])
if not created then
  return false
end
if ARGV[3] and (values[7] or '') ~= ARGV[3] then
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
values[11] = redis.call('ZCOUNT', KEYS[3], string.format('%d', now), '+inf')
return values

-- Takes a share of the requests that somebody may still send in the running window.
-- KEYS 1 counter
-- ARGV 1 how many are wanted at least, 2 limit, 3 window in ms
-- Answer: {granted, ms until the window ends, when it ends (epoch ms, names the window)}
local limit = tonumber(ARGV[2])
local left = limit - tonumber(redis.call('GET', KEYS[1]) or '0')
if left <= 0 then
  return { 0, math.max(redis.call('PTTL', KEYS[1]), 1), string.format('%d', redis.call('PEXPIRETIME', KEYS[1])) }
end
local granted = math.min(left, math.max(tonumber(ARGV[1]), math.floor(left / 32)))
if redis.call('INCRBY', KEYS[1], granted) == granted then
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
return { granted, redis.call('PTTL', KEYS[1]), string.format('%d', redis.call('PEXPIRETIME', KEYS[1])) }

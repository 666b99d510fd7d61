-- Makes a call of a dead node one's own. Of several survivors one gets it.
-- KEYS 1 session, 2 call
-- ARGV 1 owner until now, 2 new owner
-- Answer: {journal, how often it was claimed}, or nil where it is over, gone, or somebody else's
if redis.call('EXISTS', KEYS[1]) == 0 or redis.call('HGET', KEYS[2], 'owner') ~= ARGV[1] then
  return false
end
redis.call('HSET', KEYS[2], 'owner', ARGV[2])
return { redis.call('HGET', KEYS[2], 'journal'), redis.call('HINCRBY', KEYS[2], 'claims', 1) }

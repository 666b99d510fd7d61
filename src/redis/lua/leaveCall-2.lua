-- Takes back the count of one claim: its owner goes in order, and was not brought down by the call.
-- KEYS 1 session, 2 call
-- ARGV 1 owner
-- Answer: 1 done, 0 it is over, gone, or somebody else's
if redis.call('EXISTS', KEYS[1]) == 0 or redis.call('HGET', KEYS[2], 'owner') ~= ARGV[1] then
  return 0
end
redis.call('HINCRBY', KEYS[2], 'claims', -1)
return 1

-- Takes a call out of the journal that is over without a last append. Nothing where another node owns it by now.
-- KEYS 1 call, 2 running calls
-- ARGV 1 call id, 2 owner
-- Answer: 1 done, 0 nothing to do
if redis.call('HGET', KEYS[1], 'owner') ~= ARGV[2] then
  return 0
end
redis.call('HDEL', KEYS[1], 'owner', 'journal', 'claims')
redis.call('ZREM', KEYS[2], ARGV[1])
return 1

-- The fleet's secret; the first one offered becomes it.
-- KEYS 1 secret
-- ARGV 1 candidate, 2 life in ms
-- Answer: the secret
redis.call('SET', KEYS[1], ARGV[1], 'NX')
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return redis.call('GET', KEYS[1])

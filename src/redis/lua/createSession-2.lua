-- Stores a new session record and its first state.
-- KEYS 1 session, 2 state
-- ARGV 1 life in ms, 2 number of record fields, then field, value ..., then state key, value ...
-- Answer: 1
local fields = tonumber(ARGV[2])
redis.call('HSET', KEYS[1], unpack(ARGV, 3, 2 + fields * 2))
redis.call('PEXPIRE', KEYS[1], ARGV[1])
if #ARGV > 2 + fields * 2 then
  redis.call('HSET', KEYS[2], unpack(ARGV, 3 + fields * 2))
  redis.call('PEXPIRE', KEYS[2], ARGV[1])
end
return 1

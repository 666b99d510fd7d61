-- Makes a call of a dead node one's own. Of several survivors one gets it.
-- KEYS 1 session, 2 call
-- ARGV 1 owner until now, 2 new owner, 3 what a journal of a known form begins with
-- Answer: {journal, how often it was claimed}, nil where it is over or gone, its owner as text where that is somebody else,
--         or {} where its form is not known: then it stays as it is, for a node of the release that wrote it. Who has claimed
--         it already gets the same answer again: it may not have come the first time.
local owner = redis.call('HGET', KEYS[2], 'owner')
if redis.call('EXISTS', KEYS[1]) == 0 or not owner then
  return false
end
if owner ~= ARGV[1] and owner ~= ARGV[2] then
  return owner
end
local journal = redis.call('HGET', KEYS[2], 'journal')
if string.sub(journal, 1, #ARGV[3]) ~= ARGV[3] then
  return {}
end
if owner == ARGV[2] then
  return { journal, tonumber(redis.call('HGET', KEYS[2], 'claims') or 0) }
end
redis.call('HSET', KEYS[2], 'owner', ARGV[2])
return { journal, redis.call('HINCRBY', KEYS[2], 'claims', 1) }

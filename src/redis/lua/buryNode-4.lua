-- Forgets what a dead node leaves behind, once its calls were taken over.
-- KEYS 1 lease of the token, 2 inbox, 3 calls, 4 mark of an open inbox
-- Answer: 1 done, 0 it lives (again)
if redis.call('EXISTS', KEYS[1]) == 1 then
  return 0
end
redis.call('UNLINK', KEYS[2], KEYS[3], KEYS[4])
return 1

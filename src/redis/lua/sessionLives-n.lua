-- How long sessions live on.
-- KEYS any number of sessions
-- Answer: for each its life in ms, negative where it has ended
local lives = {}
for i, key in ipairs(KEYS) do
  lives[i] = redis.call('PTTL', key)
end
return lives

-- Tells which commands the connection's user may not send. Runs none of them.
-- ARGV commands with their arguments, words separated by blanks
-- Answer: those that are forbidden
local forbidden = {}
if not redis.acl_check_cmd then
  return forbidden
end
for _, line in ipairs(ARGV) do
  local words = {}
  for word in string.gmatch(line, '%S+') do
    words[#words + 1] = word
  end
  -- An error: a command that this server does not know. Not a question of permission.
  local known, allowed = pcall(redis.acl_check_cmd, unpack(words))
  if known and not allowed then
    forbidden[#forbidden + 1] = line
  end
end
return forbidden

-- Puts a letter into a node's inbox, if that node lives.
-- KEYS 1 mark of an open inbox, 2 inbox
-- ARGV 1 session id, 2 message, 3 life of the inbox in ms, 4 traceparent or empty
-- Answer: 1 stored, 0 no such node
--
-- Without the look at the mark, anybody who can post an answer could make keys for nodes that never were.
if redis.call('EXISTS', KEYS[1]) == 0 then
  return 0
end
if ARGV[4] == '' then
  redis.call('XADD', KEYS[2], '*', 's', ARGV[1], 'm', ARGV[2])
else
  redis.call('XADD', KEYS[2], '*', 's', ARGV[1], 'm', ARGV[2], 't', ARGV[4])
end
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return 1

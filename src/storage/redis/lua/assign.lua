-- Publishes the next assignment; the leader's alone to do.
--
-- KEYS    leader, assignment
-- ARGV    1 member   2 version before   3 version   4 owners
-- RESULT  1, or 0 where the member does not lead or the version before is another: then nothing is changed
-- Works while Redis is out of memory: the first write takes none, and what follows a write is allowed.

if redis.call('HGET', KEYS[1], 'id') ~= ARGV[1] then return 0 end
if (redis.call('HGET', KEYS[2], 'version') or '0') ~= ARGV[2] then return 0 end
redis.call('HDEL', KEYS[2], 'owners')
redis.call('HSET', KEYS[2], 'version', ARGV[3], 'owners', ARGV[4])
return 1

-- A new owner of a bucket (R1): from here on the head of the one before matches no more.
--
-- KEYS    head, producers, index, asideKeys
-- ARGV    1 token   2 owner, for people
-- RESULT  { last position or false, trimmed up to or false, forget horizon or false, producers, index, set-aside keys };
--         the last three are texts, a line feed between fields and values: one reply, however many there are
-- Works while Redis is out of memory: the first write takes none, and what follows a write is allowed.

redis.call('HDEL', KEYS[1], 'token')
redis.call('HSET', KEYS[1], 'token', ARGV[1], 'n', '0', 'owner', ARGV[2])
local facts = redis.call('HMGET', KEYS[1], 'position', 'trimmed', 'horizon')
return {
  facts[1],
  facts[2],
  facts[3],
  table.concat(redis.call('HGETALL', KEYS[2]), '\n'),
  table.concat(redis.call('HGETALL', KEYS[3]), '\n'),
  table.concat(redis.call('LRANGE', KEYS[4], 0, -1), '\n'),
}

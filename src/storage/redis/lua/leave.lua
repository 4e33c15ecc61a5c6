-- Takes a member off at once, and its lead with it.
--
-- KEYS    members, beats, leader
-- ARGV    1 member
-- RESULT  OK

redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[2], ARGV[1])
if redis.call('HGET', KEYS[3], 'id') == ARGV[1] then redis.call('DEL', KEYS[3]) end
return redis.status_reply('OK')

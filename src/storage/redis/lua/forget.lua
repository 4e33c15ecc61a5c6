-- Forgets producers, and raises the forget horizon, which never goes back (R11).
--
-- KEYS    head, producers
-- ARGV    1 token   2 n   3 n + 1   4 horizon, ms   5… producers
-- RESULT  OK
-- ERRORS  TABA_HEAD

local head = redis.call('HMGET', KEYS[1], 'token', 'n', 'horizon')
if head[1] ~= ARGV[1] or head[2] ~= ARGV[2] then return redis.error_reply('TABA_HEAD ' .. KEYS[1]) end
redis.call('HSET', KEYS[1], 'n', ARGV[3])
if tonumber(ARGV[4]) > tonumber(head[3] or '0') then redis.call('HSET', KEYS[1], 'horizon', ARGV[4]) end
for i = 5, #ARGV do redis.call('HDEL', KEYS[2], ARGV[i]) end
return redis.status_reply('OK')

-- Forgets the journal up to a position.
--
-- KEYS    head, journal
-- ARGV    1 token   2 n   3 n + 1   4 position
-- RESULT  OK
-- ERRORS  TABA_HEAD
-- Works while Redis is out of memory, as it gives some back: the first write takes none, and what follows is allowed.

local head = redis.call('HMGET', KEYS[1], 'token', 'n', 'trimmed', 'position')
if head[1] ~= ARGV[1] or head[2] ~= ARGV[2] then return redis.error_reply('TABA_HEAD ' .. KEYS[1]) end
local from = tonumber(head[3] or '0') + 1
local upTo = math.min(tonumber(ARGV[4]), tonumber(head[4] or '0'))
redis.call('HDEL', KEYS[2], ARGV[4])
for position = from, upTo do redis.call('HDEL', KEYS[2], string.format('%.0f', position)) end
redis.call('HSET', KEYS[1], 'n', ARGV[3])
if upTo >= from then redis.call('HSET', KEYS[1], 'trimmed', string.format('%.0f', upTo)) end
return redis.status_reply('OK')

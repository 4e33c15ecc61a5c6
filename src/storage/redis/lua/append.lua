-- Appends an entry to the journal, and sets its producer's last number.
--
-- KEYS    head, journal, producers
-- ARGV    1 token   2 n   3 n + 1   4 position   5 entry   6 producer   7 birthMs   8 seq   9 atMs
--         10 producer that is retired, or ''   11 the number that retires it
-- RESULT  OK
-- ERRORS  TABA_HEAD: another owner, or a write is missing   TABA_POSITION: not the next position
-- Checks first, then the write that can be denied, then the rest: a script does not roll back.

local head = redis.call('HMGET', KEYS[1], 'token', 'n', 'position')
if head[1] ~= ARGV[1] or head[2] ~= ARGV[2] then return redis.error_reply('TABA_HEAD ' .. KEYS[1]) end
if tonumber(head[3] or '0') + 1 ~= tonumber(ARGV[4]) then
  return redis.error_reply('TABA_POSITION ' .. ARGV[4] .. ' after ' .. (head[3] or '0'))
end
redis.call('HSET', KEYS[1], 'n', ARGV[3], 'position', ARGV[4])
redis.call('HSET', KEYS[2], ARGV[4], ARGV[5])

local function row(producer)
  local known = redis.call('HGET', KEYS[3], producer)
  if not known then return nil end
  return string.match(known, '^(%S+) (%S+) (%S+)$')
end
local function later(a, b)
  if a and tonumber(a) > tonumber(b) then return a end
  return b
end

if ARGV[10] ~= '' then
  local birth = row(ARGV[10])
  redis.call('HSET', KEYS[3], ARGV[10], (birth or ARGV[7]) .. ' ' .. ARGV[11] .. ' ' .. ARGV[9])
end
local birth, seq, at = row(ARGV[6])
redis.call('HSET', KEYS[3], ARGV[6],
  (birth or ARGV[7]) .. ' ' .. later(seq, ARGV[8]) .. ' ' .. later(at, ARGV[9]))
return redis.status_reply('OK')

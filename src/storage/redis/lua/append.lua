-- Appends entries to the journals of several buckets, and sets their producers' last numbers.
--
-- For each entry, in turn:
-- KEYS    head, journal, producers
-- ARGV    1 token   2 n   3 n + 1   4 position   5 entry   6 producer   7 birthMs   8 seq   9 atMs
--         10 producer that is retired, or ''   11 the number that retires it
-- RESULT  for each entry, '' or what was refused, with nothing of it changed:
--         TABA_HEAD: another owner, or a write is missing   TABA_POSITION: not the next position
-- Checks first, then the write that can be denied, then the rest: a script does not roll back. Redis denies the first write of a
-- script or none, so that an entry is never denied behind one that was written.

local call = redis.call
local results = {}

local function row(producers, producer)
  local known = call('HGET', producers, producer)
  if not known then return nil end
  return string.match(known, '^(%S+) (%S+) (%S+)$')
end
local function later(a, b)
  if a and tonumber(a) > tonumber(b) then return a end
  return b
end

for entry = 0, #KEYS / 3 - 1 do
  local head, journal, producers = KEYS[entry * 3 + 1], KEYS[entry * 3 + 2], KEYS[entry * 3 + 3]
  local a = entry * 11
  local known = call('HMGET', head, 'token', 'n', 'position')
  if known[1] ~= ARGV[a + 1] or known[2] ~= ARGV[a + 2] then
    results[entry + 1] = 'TABA_HEAD ' .. head
  elseif tonumber(known[3] or '0') + 1 ~= tonumber(ARGV[a + 4]) then
    results[entry + 1] = 'TABA_POSITION ' .. ARGV[a + 4] .. ' after ' .. (known[3] or '0')
  else
    call('HSET', head, 'n', ARGV[a + 3], 'position', ARGV[a + 4])
    call('HSET', journal, ARGV[a + 4], ARGV[a + 5])
    local retired = ARGV[a + 10]
    if retired ~= '' then
      local birth = row(producers, retired)
      call('HSET', producers, retired, (birth or ARGV[a + 7]) .. ' ' .. ARGV[a + 11] .. ' ' .. ARGV[a + 9])
    end
    local birth, seq, at = row(producers, ARGV[a + 6])
    call('HSET', producers, ARGV[a + 6],
      (birth or ARGV[a + 7]) .. ' ' .. later(seq, ARGV[a + 8]) .. ' ' .. later(at, ARGV[a + 9]))
    results[entry + 1] = ''
  end
end
return results

-- Keeps something apart that cannot be applied. One that stands for a whole Block sets its producer's last number.
--
-- KEYS    head, aside, asideKeys, producers
-- ARGV    1 token   2 n   3 n + 1   4 item   5 "position\ntab\nclient"
--         6 producer, or '' where no number is set   7 birthMs   8 seq   9 atMs
-- RESULT  OK
-- ERRORS  TABA_HEAD

local head = redis.call('HMGET', KEYS[1], 'token', 'n')
if head[1] ~= ARGV[1] or head[2] ~= ARGV[2] then return redis.error_reply('TABA_HEAD ' .. KEYS[1]) end
redis.call('HSET', KEYS[1], 'n', ARGV[3])
redis.call('RPUSH', KEYS[2], ARGV[4])
redis.call('RPUSH', KEYS[3], ARGV[5])
if ARGV[6] ~= '' then
  local birth, seq, at = ARGV[7], ARGV[8], ARGV[9]
  local known = redis.call('HGET', KEYS[4], ARGV[6])
  if known then
    local knownBirth, knownSeq, knownAt = string.match(known, '^(%S+) (%S+) (%S+)$')
    birth = knownBirth
    if tonumber(knownSeq) > tonumber(seq) then seq = knownSeq end
    if tonumber(knownAt) > tonumber(at) then at = knownAt end
  end
  redis.call('HSET', KEYS[4], ARGV[6], birth .. ' ' .. seq .. ' ' .. at)
end
return redis.status_reply('OK')

-- Entries of the journal from a position on, for the owner of the bucket alone; as many as make one sensible reply.
--
-- KEYS    head, journal
-- ARGV    1 token   2 first position   3 last position   4 bytes after which to stop
-- RESULT  the entries, false where one is missing; the next position is the first plus their number
-- ERRORS  TABA_HEAD: another owner

if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return redis.error_reply('TABA_HEAD ' .. KEYS[1]) end
local entries, bytes = {}, 0
for position = tonumber(ARGV[2]), tonumber(ARGV[3]) do
  local entry = redis.call('HGET', KEYS[2], string.format('%.0f', position))
  entries[#entries + 1] = entry
  bytes = bytes + (entry and #entry or 0) + 64
  if bytes >= tonumber(ARGV[4]) then break end
end
return entries

-- Pages, for the owner of the bucket alone.
--
-- KEYS    head, index, pages
-- ARGV    1 token   2… pages
-- RESULT  for each page its "position type" and its bytes; false where there is none
-- ERRORS  TABA_HEAD: another owner

if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return redis.error_reply('TABA_HEAD ' .. KEYS[1]) end
local found = {}
for i = 2, #ARGV do
  found[#found + 1] = redis.call('HGET', KEYS[2], ARGV[i])
  found[#found + 1] = redis.call('HGET', KEYS[3], ARGV[i])
end
return found

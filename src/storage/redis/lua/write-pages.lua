-- Writes or deletes pages. A write never lowers the position of a page (R5): such a one is left out.
--
-- KEYS    head, index, pages
-- ARGV    1 token   2 n   3 n + 1   then for each page: page, position, type, bytes; the type '' deletes
-- RESULT  how many pages there are more than before
-- ERRORS  TABA_HEAD

local head = redis.call('HMGET', KEYS[1], 'token', 'n')
if head[1] ~= ARGV[1] or head[2] ~= ARGV[2] then return redis.error_reply('TABA_HEAD ' .. KEYS[1]) end
redis.call('HSET', KEYS[1], 'n', ARGV[3])
local more = 0
for i = 4, #ARGV, 4 do
  local page, position, kind = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local known = redis.call('HGET', KEYS[2], page)
  local isNewer = known and tonumber(string.match(known, '^%d+')) > tonumber(position)
  if not isNewer then
    if kind == '' then
      redis.call('HDEL', KEYS[2], page)
      redis.call('HDEL', KEYS[3], page)
      if known then more = more - 1 end
    else
      redis.call('HSET', KEYS[2], page, position .. ' ' .. kind)
      redis.call('HSET', KEYS[3], page, ARGV[i + 3])
      if not known then more = more + 1 end
    end
  end
end
return more

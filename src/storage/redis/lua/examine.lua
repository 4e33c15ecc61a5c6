-- Looks for what no script would have left in a bucket, and with repair takes away what stands for nothing.
--
-- KEYS    head, journal, index, pages, aside, asideKeys
-- ARGV    1 '1' to repair
-- RESULT  { key, problem, '1' if repaired, key, problem, … }
-- One step: whatever an owner is writing at the moment is either all there or not yet. What is repaired belongs to no State
-- that anybody can read, so that the head need not move.

local repair = ARGV[1] == '1'
local findings = {}
local function found(key, problem, mend)
  findings[#findings + 1] = key
  findings[#findings + 1] = problem
  if repair and mend then
    mend()
    findings[#findings + 1] = '1'
  else
    findings[#findings + 1] = '0'
  end
end
local function shown(page) return (string.gsub(page, '\n', ' ')) end

for i, kind in ipairs({ 'hash', 'hash', 'hash', 'hash', 'list', 'list' }) do
  local is = redis.call('TYPE', KEYS[i]).ok
  if is ~= 'none' and is ~= kind then return findings end
end

local head = redis.call('HMGET', KEYS[1], 'position', 'trimmed', 'n')
local last, trimmed = tonumber(head[1] or '0'), tonumber(head[2] or '0')
if not last or not trimmed or (head[3] and not tonumber(head[3])) then
  found(KEYS[1], 'its numbers are none')
  return findings
end
if trimmed > last then found(KEYS[1], 'trimmed up to ' .. trimmed .. ', beyond the last position ' .. last) end

local entries = 0
for _, field in ipairs(redis.call('HKEYS', KEYS[2])) do
  local position = tonumber(field)
  local drop = function() redis.call('HDEL', KEYS[2], field) end
  if not position then
    found(KEYS[2], 'an entry at ' .. field .. ', which is no position', drop)
  elseif position > last then
    found(KEYS[2], 'an entry at ' .. field .. ', beyond the last position ' .. last, drop)
  elseif position <= trimmed then
    found(KEYS[2], 'an entry at ' .. field .. ', which was trimmed (up to ' .. trimmed .. ')', drop)
  else
    entries = entries + 1
  end
end
if trimmed <= last and entries ~= last - trimmed then
  found(KEYS[2], (last - trimmed - entries) .. ' entries between ' .. trimmed .. ' and ' .. last .. ' are missing')
end

local index = redis.call('HGETALL', KEYS[3])
for i = 1, #index, 2 do
  local page, position = index[i], tonumber(string.match(index[i + 1], '^(%d+) %S'))
  if not string.find(page, '\n', 1, true) or not position then
    found(KEYS[3], 'a page without tab, client or position: ' .. shown(page), function()
      redis.call('HDEL', KEYS[3], page)
      redis.call('HDEL', KEYS[4], page)
    end)
  else
    if position > last then
      found(KEYS[3], 'page ' .. shown(page) .. ' contains position ' .. position .. ', beyond the last one, ' .. last)
    end
    if redis.call('HEXISTS', KEYS[4], page) == 0 then
      found(KEYS[3], 'page ' .. shown(page) .. ' has no content', function() redis.call('HDEL', KEYS[3], page) end)
    end
  end
end
for _, page in ipairs(redis.call('HKEYS', KEYS[4])) do
  if redis.call('HEXISTS', KEYS[3], page) == 0 then
    found(KEYS[4], 'content of page ' .. shown(page) .. ', which is not in the index', function()
      redis.call('HDEL', KEYS[4], page)
    end)
  end
end
if redis.call('LLEN', KEYS[5]) ~= redis.call('LLEN', KEYS[6]) then
  found(KEYS[5], redis.call('LLEN', KEYS[5]) .. ' items set aside, and ' .. redis.call('LLEN', KEYS[6]) .. ' keys of them')
end
return findings

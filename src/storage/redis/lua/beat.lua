-- A heartbeat: says that a member lives, takes off those that are silent for longer than the lease, gives the lead to
-- whoever beats first while nobody has it, and tells what all of that came to. On the clock of this Redis. Where nobody was
-- heard for half a lease it was Redis that was away: all of them get a lease from now on, or the first to come back would
-- be alone.
--
-- KEYS    members, beats, leader, assignment
-- ARGV    1 member   2 its description   3 lease, ms   4 version of the assignment that the member has
-- RESULT  { now (ms), leader, version, owners or false where the member has them, member, description, member, description, … }
-- Works while Redis is out of memory: the first write takes none, and what follows a write is allowed.

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local stamp = string.format('%.0f', now)
local lease = tonumber(ARGV[3])
local beats = redis.call('HGETALL', KEYS[2])
local newest = 0
for i = 2, #beats, 2 do newest = math.max(newest, tonumber(beats[i])) end
local away = now - newest > lease / 2
redis.call('HDEL', KEYS[2], ARGV[1])
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('HSET', KEYS[2], ARGV[1], stamp)
for i = 1, #beats, 2 do
  -- A beat from the future was stamped by another clock, before a fail-over.
  if away or tonumber(beats[i + 1]) > now then
    redis.call('HSET', KEYS[2], beats[i], stamp)
  elseif beats[i] ~= ARGV[1] and now - tonumber(beats[i + 1]) > lease then
    redis.call('HDEL', KEYS[1], beats[i])
    redis.call('HDEL', KEYS[2], beats[i])
  end
end
local leader = redis.call('HMGET', KEYS[3], 'id', 'until')
local leads = leader[1]
if not leads or leads == ARGV[1] or now > tonumber(leader[2]) or tonumber(leader[2]) > now + lease
  or redis.call('HEXISTS', KEYS[1], leads) == 0 then
  leads = ARGV[1]
  redis.call('HSET', KEYS[3], 'id', leads, 'until', string.format('%.0f', now + lease))
end
local version = redis.call('HGET', KEYS[4], 'version') or '0'
local view = { stamp, leads, version, false }
if version ~= ARGV[4] then view[4] = redis.call('HGET', KEYS[4], 'owners') end
for _, field in ipairs(redis.call('HGETALL', KEYS[1])) do view[#view + 1] = field end
return view

-- Mend a session in one step. What cannot be read is moved, never removed.
--
-- KEYS[1] hash, KEYS[2] list, KEYS[3] index    see begin.lua
-- KEYS[4] list        what could not be read of the session
-- KEYS[5], KEYS[6]    new keys, for a hash and a list that are of another kind
--
-- ARGV[1] a token that nothing ever had    ARGV[2] the present time, µs    ARGV[3] the session's key
-- ARGV[4] how many messages cannot be read; then their positions and values, in order
-- then the names and values of fields that cannot be read
local call = redis.call
local function kind(key) return call('TYPE', key)['ok'] end

for number, wanted in ipairs({'hash', 'list'}) do
  local found = kind(KEYS[number])
  if found ~= 'none' and found ~= wanted then call('RENAME', KEYS[number], KEYS[4 + number]) end
end

local cut = false
local last = 4 + 2 * tonumber(ARGV[4])
for number = 5, last, 2 do
  if call('LINDEX', KEYS[2], ARGV[number]) == ARGV[number + 1] then -- else somebody was here meanwhile
    call('RPUSH', KEYS[4], ARGV[number + 1])
    call('LSET', KEYS[2], ARGV[number], ARGV[1])
    cut = true
  end
end
if cut then call('LREM', KEYS[2], 0, ARGV[1]) end

local changed = cut
for number = last + 1, #ARGV, 2 do
  if call('HGET', KEYS[1], ARGV[number]) == ARGV[number + 1] then
    call('RPUSH', KEYS[4], ARGV[number + 1])
    call('HDEL', KEYS[1], ARGV[number])
    changed = true
  end
end

local found = call('HMGET', KEYS[1], 'v', 'g', 'n', 'w', 'c')
local total = call('LLEN', KEYS[2])
if not found[1] and total == 0 and kind(KEYS[1]) == 'none' then
  call('ZREM', KEYS[3], ARGV[3])
  return 0
end
if found[1] and found[2] and tonumber(found[3]) == total and not changed then return 0 end
call('HSET', KEYS[1], 'v', ARGV[1], 'n', total, 'w', tonumber(found[4]) or 0, 'u', ARGV[2])
if cut or not found[2] or tonumber(found[3]) ~= total then call('HSET', KEYS[1], 'g', ARGV[1]) end
if not found[5] then call('HSET', KEYS[1], 'c', ARGV[2]) end
call('ZADD', KEYS[3], 0, ARGV[3])
return 1

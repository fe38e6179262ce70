-- How every write begins: with the state of the session, and with a look whether this write has been done already.
-- What it finds stands in locals for the part that follows, and finish.lua writes down what became of them. The
-- parts are one text without functions: building these for each call would take longer than all the rest.
--
-- KEYS[1] hash    v version, n number of messages, g generation, u updated and c created (µs since 1970), U and c as
--                 they were given by somebody (U behind the µs that it stands for), s summary, d metadata,
--                 a aliases, w number of writes, r0 to r63 ids of the last 64 writes, t0 to t2 when the last writes
--                 were done whose number is divided by 32 (ms), e '1' when it ends by itself
-- KEYS[2] list    the messages
-- KEYS[3] sorted set    the keys of the bucket's sessions
--
-- ARGV[1] id of the write, which becomes the version    ARGV[2] ms since an attempt that may have been executed;
--                                                       '?' when nobody would tell of one
-- ARGV[3] the present time, µs                          ARGV[4] ms until the session ends, 0: never
--
-- Answers the version, or a list: the name of what stands in the way, and the version where that is asked for.
--
-- An append trusts n, and a read compares it with the list: messages that the server dropped are missed there.
--
-- Every key is read before anything is written: a key that holds something else stops the script in time.

local unpack = table.unpack or unpack
local call = redis.call
local ID, AGE, NOW, TTL = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local REMEMBERED, NOTED = 64, 32

local found = call('HMGET', KEYS[1], 'v', 'n', 'w', 'u', 'e')
local aside = nil -- how many messages a list has that the caller is to remove
local version, count, writes, updated, ends = found[1], found[2], found[3], found[4], found[5] == '1'
local exists, remains = version, false

if not exists then
  version, count, writes, updated = 'absent', 0, 0, 0
  call('ZCARD', KEYS[3])
  remains = call('LLEN', KEYS[2]) > 0 -- the server may have dropped the hash to save memory, and not the messages
elseif version == ID or AGE ~= '0' then
  local names, answer = {}, nil
  for slot = 0, REMEMBERED - 1 do names[slot + 1] = 'r' .. slot end
  for _, id in ipairs(call('HMGET', KEYS[1], unpack(names))) do
    if id == ID then answer = ID end
  end
  local noted = math.ceil((writes - REMEMBERED) / NOTED)
  if answer then
    call('HSET', KEYS[1], 'v', version) -- nothing new, but something for replicas to wait for
  elseif noted >= 1 and AGE ~= '?' then
    -- All writes that are forgotten were done before a time that is noted: an attempt after it is none of them.
    local time, now = tonumber(call('HGET', KEYS[1], 't' .. noted % 3)), call('TIME')
    if time >= now[1] * 1000 + math.floor(now[2] / 1000) - AGE then answer = {'unknown'} end
  end
  if answer then
    if KEYS[5] then call('UNLINK', KEYS[5]) end
    return answer
  end
end

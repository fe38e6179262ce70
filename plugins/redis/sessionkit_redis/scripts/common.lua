-- What the scripts share. Each of them is one step of the server: nobody sees a part of it.
--
-- KEYS[1] hash    v version, n number of messages, g generation, c created, u updated, m the same in microseconds,
--                 s summary, d metadata, a aliases, r ids of the last writes, e when the last id left them (ms)
-- KEYS[2] list    the messages
-- KEYS[3] sorted set    the keys of the bucket's sessions
--
-- ARGV[1] id of the write, which becomes the version     ARGV[4] the present time, ARGV[5] in microseconds
-- ARGV[2] ms since the write was first tried, 0: never   ARGV[6] ms until the session ends, 0: it does not
-- ARGV[3] the session's key                              ARGV[7] a generation that no session ever had
--
-- Every key is read before anything is written: a key that holds something else stops the script in time.

local unpack = table.unpack or unpack
local ABSENT = 'absent'
local REMEMBERED = 32
local ID, AGE, KEY, NOW, MICROS, TTL, GENERATION =
  ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6]), ARGV[7]

local function read()
  local f = redis.call('HMGET', KEYS[1], 'v', 'g', 'r', 'e', 'm', 'n')
  local count = redis.call('LLEN', KEYS[2])
  redis.call('ZCARD', KEYS[3])
  if not f[1] then
    return {version = ABSENT, generation = '', recent = '\n', left = 0, micros = 0, count = 0, remains = count > 0}
  end
  return {
    exists = true, version = f[1], generation = f[2], recent = f[3], left = tonumber(f[4]), micros = tonumber(f[5]),
    count = count, damaged = tonumber(f[6]) ~= count,
  }
end

local function milliseconds()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

-- What must not be done, or was done before; nil when the write is to go on. A repeated write whose id may be
-- forgotten by now is not done again.
local function refusal(session, if_version, if_generation)
  if string.find(session.recent, '\n' .. ID .. '\n', 1, true) then
    redis.call('HSET', KEYS[1], 'e', session.left) -- nothing new, but something to wait for until replicas have it
    return {'ok', ID}
  end
  if AGE > 0 and session.left > 0 and session.left >= milliseconds() - AGE then return {'unknown'} end
  if session.damaged then return {'damaged'} end
  if if_version and if_version ~= '' and if_version ~= session.version then return {'version', session.version} end
  if if_generation and if_generation ~= '-' and if_generation ~= session.generation then return {'generation'} end
  return nil
end

-- Messages may be left of a session that is not there, when the server dropped its hash to save memory.
local function clear_remains(session)
  if session.remains then redis.call('UNLINK', KEYS[2]) end
end

-- Append arguments to a list. Returns how many it has.
local function push(list, first)
  local count = 0
  for from = first, #ARGV, 1000 do
    count = redis.call('RPUSH', list, unpack(ARGV, from, math.min(from + 999, #ARGV)))
  end
  return count
end

-- Write down what a session is after a write: how many messages it has, and the other fields that change.
local function store(session, count, fields)
  local recent, left = session.recent .. ID .. '\n', session.left
  local _, ids = string.gsub(recent, '\n', '')
  if ids - 1 > REMEMBERED then
    recent = string.sub(recent, string.find(recent, '\n', 2, true), -1)
    left = milliseconds()
  end
  local f = {'v', ID, 'n', count, 'r', recent, 'e', left, unpack(fields or {})}
  if not session.exists then
    f[#f + 1] = 'g'
    f[#f + 1] = GENERATION
    if not (fields and fields.created) then
      f[#f + 1] = 'c'
      f[#f + 1] = NOW
    end
    redis.call('ZADD', KEYS[3], 0, KEY)
  end
  if not (fields and fields.updated) and MICROS >= session.micros then
    f[#f + 1] = 'u'
    f[#f + 1] = NOW
    f[#f + 1] = 'm'
    f[#f + 1] = ARGV[5]
  end
  redis.call('HSET', KEYS[1], unpack(f))
  if TTL > 0 then
    redis.call('PEXPIRE', KEYS[1], ARGV[6])
    redis.call('PEXPIRE', KEYS[2], ARGV[6])
  end
  return {'ok', ID}
end

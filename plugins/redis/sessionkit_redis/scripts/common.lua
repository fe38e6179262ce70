-- What the scripts share. Each of them is one step of the server: nobody sees a part of it.
--
-- KEYS[1] hash    v version, n number of messages, g generation, c created, u updated, m that time in our own form
--                 when u has another, s summary, d metadata, a aliases, w number of writes, r0 to r63 ids of the
--                 last 64 writes, t0 to t2 when the last writes were done whose number is divided by 32 (ms)
-- KEYS[2] list    the messages
-- KEYS[3] sorted set    the keys of the bucket's sessions
--
-- ARGV[1] id of the write, which becomes the version                     ARGV[4] the present time
-- ARGV[2] ms since an attempt that may have been executed, 0: none       ARGV[5] ms until the session ends, 0: never
-- ARGV[3] the session's key                                              ARGV[6] a generation that nothing ever had
--
-- An append trusts n, and a read compares it with the list: messages that the server dropped are missed there.
--
-- Every key is read before anything is written: a key that holds something else stops the script in time.

local unpack = table.unpack or unpack
local ABSENT = 'absent'
local REMEMBERED, NOTED = 64, 32
local ID, AGE, KEY, NOW, TTL, GENERATION = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]

local function read()
  local f = redis.call('HMGET', KEYS[1], 'v', 'g', 'w', 'n', 'u', 'm')
  if not f[1] then
    redis.call('ZCARD', KEYS[3])
    local remains = redis.call('LLEN', KEYS[2]) > 0
    return {version = ABSENT, generation = '', writes = 0, updated = '', count = 0, remains = remains}
  end
  return {
    exists = true, version = f[1], generation = f[2], writes = tonumber(f[3]), count = tonumber(f[4]), updated = f[5],
    foreign = f[6] and f[6] ~= '' and f[6],
  }
end

local function milliseconds()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

-- Whether the write was done by an earlier attempt: its answer, or 'unknown' when its id may be forgotten by now.
-- All writes that are forgotten were done before a time that is noted: an attempt after it is none of them.
local function repetition(session)
  local names = {}
  for slot = 0, REMEMBERED - 1 do names[slot + 1] = 'r' .. slot end
  for _, id in ipairs(redis.call('HMGET', KEYS[1], unpack(names))) do
    if id == ID then
      redis.call('HSET', KEYS[1], 'v', session.version) -- nothing new, but something for replicas to wait for
      return {'ok', ID}
    end
  end
  local noted = math.ceil((session.writes - REMEMBERED) / NOTED)
  if noted < 1 then return nil end
  local time = tonumber(redis.call('HGET', KEYS[1], 't' .. noted % 3))
  if time >= milliseconds() - tonumber(AGE) then return {'unknown'} end
  return nil
end

-- What must not be done, or was done before; nil when the write is to go on.
local function refusal(session, if_version, if_generation)
  if AGE ~= '0' and session.exists then
    local answer = repetition(session)
    if answer then return answer end
  end
  if if_version and if_version ~= '' and if_version ~= session.version then return {'version', session.version} end
  if if_generation and if_generation ~= '-' and if_generation ~= session.generation then return {'generation'} end
  return nil
end

-- Messages may be left of a session that is not there, when the server dropped its hash to save memory.
local function clear_remains(session)
  if session.remains then redis.call('UNLINK', KEYS[2]) end
end

-- Append arguments to the list. Returns how many.
local function push(first)
  for from = first, #ARGV, 1000 do
    redis.call('RPUSH', KEYS[2], unpack(ARGV, from, math.min(from + 999, #ARGV)))
  end
  return #ARGV - first + 1
end

-- Whether messages are gone, before something is done with those that are left.
local function is_damaged(session)
  return session.exists and redis.call('LLEN', KEYS[2]) ~= session.count
end

-- Write down what a session is after a write: how many messages it has, and the other fields that change.
local function store(session, count, fields)
  local writes = session.writes + 1
  local f = {'v', ID, 'n', count, 'w', writes, 'r' .. writes % REMEMBERED, ID, unpack(fields or {})}
  local function set(name, value)
    f[#f + 1] = name
    f[#f + 1] = value
  end
  if writes % NOTED == 0 then set('t' .. writes / NOTED % 3, milliseconds()) end
  if not session.exists then
    set('g', GENERATION)
    if not (fields and fields.created) then set('c', NOW) end
    redis.call('ZADD', KEYS[3], 0, KEY)
  end
  if not (fields and fields.updated) and NOW >= (session.foreign or session.updated) then
    set('u', NOW)
    if session.foreign then set('m', '') end
  end
  redis.call('HSET', KEYS[1], unpack(f))
  if TTL ~= '0' then
    redis.call('PEXPIRE', KEYS[1], TTL)
    redis.call('PEXPIRE', KEYS[2], TTL)
  end
  return {'ok', ID}
end

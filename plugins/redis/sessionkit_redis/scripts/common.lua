-- What the scripts share. Each of them is one step of the server: nobody sees a part of it.
--
-- KEYS[1] hash    v version, n number of messages, g generation, c created, u updated, m that time in our own form
--                 when u has another, s summary, d metadata, a aliases, r ids of the last writes, e when some ids
--                 were forgotten last (ms)
-- KEYS[2] list    the messages
-- KEYS[3] sorted set    the keys of the bucket's sessions
--
-- ARGV[1] id of the write, 16 characters, which becomes the version      ARGV[4] the present time
-- ARGV[2] ms since an attempt that may have been executed, 0: none       ARGV[5] ms until the session ends, 0: never
-- ARGV[3] the session's key                                              ARGV[6] a generation that nothing ever had
--
-- An append trusts n, and a read compares it with the list: messages that the server dropped are missed there.
--
-- Every key is read before anything is written: a key that holds something else stops the script in time.

local unpack = table.unpack or unpack
local ABSENT = 'absent'
local ID_SIZE, REMEMBERED = 17, 32 -- with the delimiter
local ID, AGE, KEY, NOW, TTL, GENERATION = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]

local function read()
  local f = redis.call('HMGET', KEYS[1], 'v', 'g', 'r', 'n', 'u', 'm')
  if not f[1] then
    redis.call('ZCARD', KEYS[3])
    local remains = redis.call('LLEN', KEYS[2]) > 0
    return {version = ABSENT, generation = '', recent = '', updated = '', count = 0, remains = remains}
  end
  return {
    exists = true, version = f[1], generation = f[2], recent = f[3], count = tonumber(f[4]), updated = f[5],
    foreign = f[6] and f[6] ~= '' and f[6],
  }
end

local function milliseconds()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

-- What must not be done, or was done before; nil when the write is to go on. A repeated write whose id may be
-- forgotten by now is not done again.
local function refusal(session, if_version, if_generation)
  if string.find(session.recent, ID .. ';', 1, true) then
    redis.call('HSET', KEYS[1], 'v', session.version) -- nothing new, but something to wait for until replicas have it
    return {'ok', ID}
  end
  if AGE ~= '0' and session.exists then
    local forgotten = redis.call('HGET', KEYS[1], 'e')
    if forgotten and tonumber(forgotten) >= milliseconds() - tonumber(AGE) then return {'unknown'} end
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
  local recent = session.recent .. ID .. ';'
  local f = {'v', ID, 'n', count, unpack(fields or {})}
  local function set(name, value)
    f[#f + 1] = name
    f[#f + 1] = value
  end
  if #recent > 2 * REMEMBERED * ID_SIZE then
    recent = string.sub(recent, -REMEMBERED * ID_SIZE)
    set('e', milliseconds())
  end
  set('r', recent)
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

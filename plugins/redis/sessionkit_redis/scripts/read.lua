-- Read a session, or a stretch of its messages. Nothing is written.
-- KEYS[1] hash, KEYS[2] list
-- ARGV[1] first position, from the end when negative; ARGV[2] how many messages at most
-- ARGV[3] '1': with all fields
-- Answers version (false: there is no session), generation, total, position, messages, fields.
local f = redis.call('HMGET', KEYS[1], 'v', 'g', 'n')
local total = redis.call('LLEN', KEYS[2])
if not f[1] then return {false} end
if tonumber(f[3]) ~= total then return {'damaged'} end
local start, limit = tonumber(ARGV[1]), tonumber(ARGV[2])
if start < 0 then start = math.max(total + start, 0) end
start = math.min(start, total)
local messages = {}
if limit > 0 and start < total then messages = redis.call('LRANGE', KEYS[2], start, start + limit - 1) end
local fields = {}
if ARGV[3] == '1' then fields = redis.call('HMGET', KEYS[1], 's', 'c', 'u', 'd', 'a') end
return {f[1], f[2], total, start, messages, fields}

-- Remove a session. KEYS[4] is remembered for a minute, for a repetition whose first reply was lost.
-- KEYS[5] holds what a repair set aside of the session.
-- ARGV[1] the session's key; ARGV[2] version that it must have, '' for any
if redis.call('EXISTS', KEYS[4]) == 1 then return 1 end
local version = redis.call('HGET', KEYS[1], 'v')
local existed = version and 1 or 0
if ARGV[2] ~= '' and ARGV[2] ~= (version or 'absent') then return {'version', version or 'absent'} end
redis.call('LLEN', KEYS[2])
redis.call('ZREM', KEYS[3], ARGV[1])
redis.call('UNLINK', KEYS[1], KEYS[2], KEYS[5])
if existed == 1 then redis.call('SET', KEYS[4], '1', 'PX', 60000) end
return existed

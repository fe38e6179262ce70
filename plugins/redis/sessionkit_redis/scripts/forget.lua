-- Take a session that has ended by itself out of the index, unless it is there again.
-- KEYS[1] hash, KEYS[2] index, KEYS[3] list; ARGV[1] the session's key
if redis.call('EXISTS', KEYS[1], KEYS[3]) > 0 then return 0 end -- messages without a hash can be saved still
return redis.call('ZREM', KEYS[2], ARGV[1])

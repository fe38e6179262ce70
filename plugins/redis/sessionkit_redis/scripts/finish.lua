-- How every write ends: what the session is now. The part before says in count how many messages it has, and may
-- have a list fields, of names and values; those of the caller stand there, and win.
writes = writes + 1
if NOW - updated < 0 then NOW = updated end -- a clock that was set back makes no session older
call('HSET', KEYS[1], 'v', ID, 'n', count, 'w', writes, 'u', NOW, 'r' .. writes % REMEMBERED, ID)
if not exists then
  call('HSET', KEYS[1], 'g', ID, 'c', NOW)
  call('ZADD', KEYS[3], 0, KEYS[1]:sub(#KEYS[3] + 2)) -- KEYS[1] is KEYS[3] with h: for its i, and the session's key
end
if fields and #fields > 0 then call('HSET', KEYS[1], unpack(fields)) end
if writes % NOTED == 0 then
  local now = call('TIME')
  call('HSET', KEYS[1], 't' .. math.floor(writes / NOTED) % 3, now[1] * 1000 + math.floor(now[2] / 1000))
end
local filled = tonumber(count) > 0 -- else there is no list, and of a slot that moves a node refuses such a key
if TTL ~= '0' then
  if not ends then call('HSET', KEYS[1], 'e', '1') end
  call('PEXPIRE', KEYS[1], TTL)
  -- A reader between the two ends must not find messages gone from a session.
  if filled then call('PEXPIRE', KEYS[2], TTL + 1000) end
elseif ends then
  call('HSET', KEYS[1], 'e', '0')
  call('PERSIST', KEYS[1])
  if filled then call('PERSIST', KEYS[2]) end
end
if aside then return {'aside', ID, aside} end
return ID

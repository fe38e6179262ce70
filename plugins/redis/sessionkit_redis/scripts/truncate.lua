-- ARGV[7] version that the session must have, '' for any; ARGV[8] generation, '-' for any
-- ARGV[9] 'keep' or 'drop', ARGV[10] how many messages
-- ARGV[11] '1': ARGV[12] is the new summary
local session = read()
local refused = refusal(session, ARGV[7], ARGV[8])
if refused then return refused end
if is_damaged(session) then return {'damaged'} end
local summary = ARGV[11] == '1'
if not session.exists and not summary then return {'ok', ABSENT} end
local dropped = tonumber(ARGV[10])
if ARGV[9] == 'keep' then dropped = session.count - math.max(dropped, 0) end
dropped = math.max(math.min(dropped, session.count), 0)
if dropped == 0 and not summary then return {'ok', session.version} end
clear_remains(session)
local fields = {}
if summary then fields = {'s', ARGV[12]} end
if dropped > 0 then
  if dropped == session.count then
    redis.call('UNLINK', KEYS[2])
  else
    redis.call('LTRIM', KEYS[2], dropped, -1)
  end
  if session.exists then
    fields[#fields + 1] = 'g'
    fields[#fields + 1] = GENERATION
  end
end
return store(session, session.count - dropped, fields)

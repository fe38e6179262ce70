-- ARGV[8] version that the session must have, '' for any; ARGV[9] generation, '-' for any
-- ARGV[10] 'keep' or 'drop', ARGV[11] how many messages
-- ARGV[12] '1': ARGV[13] is the new summary
local session = read()
local refused = refusal(session, ARGV[8], ARGV[9])
if refused then return refused end
local summary = ARGV[12] == '1'
if not session.exists and not summary then return {'ok', ABSENT} end
local dropped = tonumber(ARGV[11])
if ARGV[10] == 'keep' then dropped = session.count - math.max(dropped, 0) end
dropped = math.max(math.min(dropped, session.count), 0)
if dropped == 0 and not summary then return {'ok', session.version} end
clear_remains(session)
local fields = {}
if summary then fields = {'s', ARGV[13]} end
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

-- ARGV[5] version that the session must have, '' for any; ARGV[6] generation, '-' for any
-- ARGV[7] 'keep' or 'drop', ARGV[8] how many messages
-- ARGV[9] '1': ARGV[10] is the new summary
if ARGV[5] ~= '' and ARGV[5] ~= version then return {'version', version} end
if ARGV[6] ~= '-' and ARGV[6] ~= (call('HGET', KEYS[1], 'g') or '') then return {'generation'} end
if exists and call('LLEN', KEYS[2]) ~= tonumber(count) then return {'damaged'} end
local summary = ARGV[9] == '1'
if not exists and not summary then return version end
local dropped = tonumber(ARGV[8])
count = tonumber(count)
if ARGV[7] == 'keep' then dropped = count - math.max(dropped, 0) end
dropped = math.max(math.min(dropped, count), 0)
if dropped == 0 and not summary then return version end
if remains then call('UNLINK', KEYS[2]) end
local fields = {}
if summary then fields = {'s', ARGV[10]} end
if dropped > 0 then
  if dropped == count then
    call('UNLINK', KEYS[2])
  else
    call('LTRIM', KEYS[2], dropped, -1)
  end
  fields[#fields + 1] = 'g'
  fields[#fields + 1] = ID
end
count = count - dropped

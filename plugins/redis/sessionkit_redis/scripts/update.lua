-- KEYS[4] a list that holds the new history, when it is too long to come in one call
-- ARGV[5] version that the session must have, '' for any
-- ARGV[6] history: '-' it stays, 'here' it follows the fields, else how many messages KEYS[4] must have
-- ARGV[7] number of fields; then their names and values: s, d, a, c, u and U
local staged = tonumber(ARGV[6])
local length = exists and call('LLEN', KEYS[2])
local refused = nil
if ARGV[5] ~= '' and ARGV[5] ~= version then
  refused = {'version', version}
elseif ARGV[6] == '-' and exists and length ~= tonumber(count) then
  refused = {'damaged'}
elseif staged and call('LLEN', KEYS[4]) ~= staged then
  refused = {'staging'}
end
if refused then
  if staged then call('UNLINK', KEYS[4]) end
  return refused
end
local fields, first = {}, 8 + 2 * tonumber(ARGV[7])
for position = 8, first - 1 do fields[position - 7] = ARGV[position] end
if exists and ARGV[6] == '-' and #fields == 0 then return version end
if ARGV[6] == '-' then
  if remains then call('UNLINK', KEYS[2]) end
else
  fields[#fields + 1] = 'g'
  fields[#fields + 1] = ID
  count = staged or #ARGV - first + 1
  call('HSET', KEYS[1], 'n', count) -- a full server refuses here, before the old history goes
  call('UNLINK', KEYS[2]) -- in the background, which RENAME and LTRIM do not everywhere
  if staged then
    call('RENAME', KEYS[4], KEYS[2])
    call('PERSIST', KEYS[2])
  else
    for from = first, #ARGV, 1000 do
      call('RPUSH', KEYS[2], unpack(ARGV, from, math.min(from + 999, #ARGV)))
    end
  end
end

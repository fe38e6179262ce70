-- KEYS[4] the name that the old history gets when it is long: to free all of it takes the server a while, even in the
--         background, where it needs a processor and the locks of the memory; so the caller removes it in pieces.
--         KEYS[2] for no such name: of a slot that moves, a cluster serves no script with a key that is not there yet
-- KEYS[5] a list that holds the new history, when it is too long to come in one call
-- ARGV[5] version that the session must have, '' for any
-- ARGV[6] history: '-' it stays, 'here' it follows the fields, else how many messages KEYS[5] must have
-- ARGV[7] number of fields; then their names and values: s, d, a, c, u and U
local staged = tonumber(ARGV[6])
local length = (exists or remains) and call('LLEN', KEYS[2]) or 0
local refused = nil
if ARGV[5] ~= '' and ARGV[5] ~= version then
  refused = {'version', version}
elseif ARGV[6] == '-' and exists and length ~= tonumber(count) then
  refused = {'damaged'}
elseif staged and call('LLEN', KEYS[5]) ~= staged then
  refused = {'staging'}
end
if refused then
  if staged then call('UNLINK', KEYS[5]) end
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
  if length > 1000 and KEYS[4] ~= KEYS[2] then
    call('RENAME', KEYS[2], KEYS[4])
    call('PEXPIRE', KEYS[4], 60000) -- for a caller that never comes back
    aside, length = length, 0
  end
  -- The old list must not go before the new one is there: of a slot that moves, a node of a cluster lets a script make
  -- no key. With a KEYS[4] that is not there yet it does not even begin.
  if staged then
    call('RENAME', KEYS[5], KEYS[2])
    call('PERSIST', KEYS[2])
  elseif count == 0 then
    call('UNLINK', KEYS[2])
  else
    for from = first, #ARGV, 1000 do
      call('RPUSH', KEYS[2], unpack(ARGV, from, math.min(from + 999, #ARGV)))
    end
    if length > 0 then call('LTRIM', KEYS[2], length, -1) end
  end
end

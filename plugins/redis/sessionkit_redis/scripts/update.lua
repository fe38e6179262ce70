-- KEYS[4] a list that holds the new history, when it is too long to come in one call
-- ARGV[8] version that the session must have, '' for any
-- ARGV[9] history: '-' it stays, 'here' it follows the fields, else how many messages KEYS[4] must have
-- ARGV[10] number of fields; then their names and values: s, d, a, c, u with m
local session = read()
local refused = refusal(session, ARGV[8])
local staged = tonumber(ARGV[9])
if staged and not refused and redis.call('LLEN', KEYS[4]) ~= staged then refused = {'staging'} end
if refused then
  if staged then redis.call('UNLINK', KEYS[4]) end
  return refused
end
local fields, first = {}, 11 + 2 * tonumber(ARGV[10])
for position = 11, first - 2, 2 do
  fields[#fields + 1] = ARGV[position]
  fields[#fields + 1] = ARGV[position + 1]
  if ARGV[position] == 'c' then fields.created = true end
  if ARGV[position] == 'u' then fields.updated = true end
end
if session.exists and ARGV[9] == '-' and #fields == 0 then return {'ok', session.version} end
clear_remains(session)
local count = session.count
if ARGV[9] ~= '-' then
  if session.exists then
    fields[#fields + 1] = 'g'
    fields[#fields + 1] = GENERATION
  end
  if staged then
    redis.call('RENAME', KEYS[4], KEYS[2])
    redis.call('PERSIST', KEYS[2])
    count = staged
  else
    redis.call('UNLINK', KEYS[2])
    count = push(KEYS[2], first)
  end
end
return store(session, count, fields)

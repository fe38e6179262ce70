-- KEYS[4] a list that holds the new history, when it is too long to come in one call
-- ARGV[7] version that the session must have, '' for any
-- ARGV[8] history: '-' it stays, 'here' it follows the fields, else how many messages KEYS[4] must have
-- ARGV[9] number of fields; then their names and values: s, d, a, c, u and m
local session = read()
local refused = refusal(session, ARGV[7])
local staged = tonumber(ARGV[8])
if not refused and is_damaged(session) and ARGV[8] == '-' then refused = {'damaged'} end
if staged and not refused and redis.call('LLEN', KEYS[4]) ~= staged then refused = {'staging'} end
if refused then
  if staged then redis.call('UNLINK', KEYS[4]) end
  return refused
end
local fields, first = {}, 10 + 2 * tonumber(ARGV[9])
for position = 10, first - 2, 2 do
  fields[#fields + 1] = ARGV[position]
  fields[#fields + 1] = ARGV[position + 1]
  if ARGV[position] == 'c' then fields.created = true end
  if ARGV[position] == 'u' then fields.updated = true end
end
if session.exists and ARGV[8] == '-' and #fields == 0 then return {'ok', session.version} end
clear_remains(session)
local count = session.count
if ARGV[8] ~= '-' then
  if session.exists then
    fields[#fields + 1] = 'g'
    fields[#fields + 1] = GENERATION
  end
  if staged then
    redis.call('RENAME', KEYS[4], KEYS[2])
    redis.call('PERSIST', KEYS[2])
    count = staged
  else
    count = push(first) -- before the old ones go: a full server refuses only what begins with a need of memory
    if count == 0 then
      redis.call('UNLINK', KEYS[2])
    else
      redis.call('LTRIM', KEYS[2], -count, -1)
    end
  end
end
return store(session, count, fields)

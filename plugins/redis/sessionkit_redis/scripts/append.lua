-- ARGV[8…] messages
local session = read()
local refused = refusal(session)
if refused then return refused end
clear_remains(session)
return store(session, push(KEYS[2], 8))

-- ARGV[7…] messages
local session = read()
local refused = refusal(session)
if refused then return refused end
clear_remains(session)
return store(session, session.count + push(7))

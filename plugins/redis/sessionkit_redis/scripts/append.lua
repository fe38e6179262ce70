-- ARGV[5…] messages
if remains then call('UNLINK', KEYS[2]) end
for first = 5, #ARGV, 1000 do
  call('RPUSH', KEYS[2], unpack(ARGV, first, math.min(first + 999, #ARGV)))
end
count = count + #ARGV - 4
local fields = nil

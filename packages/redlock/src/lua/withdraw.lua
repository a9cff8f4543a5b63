-- withdraw: take back what this token wrote, and nothing that became of it since.
-- KEYS  record
-- ARGV  state and token: C a claim, X a cancellation
-- reply 1 | 0

local value = redis.pcall('GET', KEYS[1])
if type(value) ~= 'string' or string.sub(value, 1, 23) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])

-- withdraw: take back what this token wrote, and nothing that became of it since.
-- KEYS  record, index
-- ARGV  state and token, as they are stored
-- reply 1 | 0

local value = redis.pcall('GET', KEYS[1])
if type(value) ~= 'string' or string.sub(value, 1, 17) ~= ARGV[1] then return 0 end
redis.call('ZREM', KEYS[2], string.sub(KEYS[1], -21))
return redis.call('DEL', KEYS[1])

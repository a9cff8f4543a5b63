-- withdraw: take back what this token wrote, and nothing that became of it since.
-- KEYS  record, index
-- ARGV  state and token, as they are stored; "leave doubts" or nothing: a dispatch whose mark is over stays
-- reply 1 | 0

local value = redis.pcall('GET', KEYS[1])
if type(value) ~= 'string' or string.sub(value, 1, 17) ~= ARGV[1] then return 0 end
if ARGV[2] == 'leave doubts' then
  local time = redis.call('TIME')
  local score = redis.call('ZSCORE', KEYS[2], string.sub(KEYS[1], -21))
  if not score or tonumber(score) <= time[1] * 1000 + math.floor(time[2] / 1000) then return 0 end
end
redis.call('ZREM', KEYS[2], string.sub(KEYS[1], -21))
return redis.call('DEL', KEYS[1])

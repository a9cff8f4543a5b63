-- paste: write records that were copied from another node, where they say more than what stands.
-- KEYS  record, …
-- ARGV  value, remaining ms, score (or ''), …
-- reply how many were written

local rank = { C = 1, X = 2, D = 3, R = 4, S = 4 }
local written = 0
for i, key in ipairs(KEYS) do
  local value, remaining, score = ARGV[i * 3 - 2], ARGV[i * 3 - 1], ARGV[i * 3]
  local index, member = string.sub(key, 1, -22) .. ':open', string.sub(key, -21)
  local stands = redis.pcall('GET', key)
  if stands and type(stands) ~= 'string' then stands = '?' end
  local state, token = string.sub(stands or '', 1, 1), string.sub(stands or '', 2, 17)
  local said = rank[state] or 9
  -- Another attempt's dispatch stays listed, whatever else is known.
  if state == 'D' and token ~= string.sub(value, 2, 17) then said = 9 end
  if not stands or rank[string.sub(value, 1, 1)] > said then
    if remaining == '-1' then
      redis.call('SET', key, value)
      if score ~= '' then redis.call('ZADD', index, score, member) end
    else
      redis.call('SET', key, value, 'PX', remaining)
      redis.call('ZREM', index, member)
    end
    written = written + 1
  end
end
return written

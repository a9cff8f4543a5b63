-- journal: what happened to emails, for people. All keys of a call are in one slot.
-- KEYS  one for each operation
-- ARGV  operation (line | name | count), how long it is kept (ms), and two more: for a line the line
--   and nothing; for a name its hash and a key of 22 characters; for a count a step and how often
-- reply nothing

for i = 1, #KEYS do
  local key, operation, keptMs = KEYS[i], ARGV[i * 4 - 3], ARGV[i * 4 - 2]
  local what, value = ARGV[i * 4 - 1], ARGV[i * 4]
  if operation == 'line' then
    if redis.call('RPUSH', key, what) > 100 then redis.call('LTRIM', key, -100, -1) end
  elseif operation == 'count' then
    redis.call('HINCRBY', key, what, value)
  else
    local found = redis.call('HGET', key, what) or ''
    local known = false
    for at = 1, #found, 22 do
      known = known or string.sub(found, at, at + 21) == value
    end
    if not known then redis.call('HSET', key, what, string.sub(found .. value, -22 * 50)) end
  end
  redis.call('PEXPIRE', key, keptMs)
end
return {}

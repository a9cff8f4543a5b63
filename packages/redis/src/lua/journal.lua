-- journal: what happened to emails, for people. All keys of a call are in one slot.
-- KEYS  one for each operation
-- ARGV  operation (line | name | count), how long it is kept (ms), and two more: for a line the
--   line and nothing; for a name its hash and a key of 22 characters; for a count a step and how
-- often reply nothing

local function keep(key, operation, keptMs, what, value)
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

local failure
for i = 1, #KEYS do
  local kept, err = pcall(keep, KEYS[i], ARGV[i * 4 - 3], ARGV[i * 4 - 2], ARGV[i * 4 - 1], ARGV[i * 4])
  -- A key that holds something else loses its own entries, and not those of the others.
  if not kept then failure = type(err) == 'table' and err.err or tostring(err) end
end
return failure and redis.error_reply(failure) or {}

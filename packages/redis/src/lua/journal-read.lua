-- journal-read: the lines of an email, the keys under a name, or the counts of some hours. Writes
-- nothing.
-- KEYS  what to read, all in one slot
-- ARGV  operation (line | name | count), the hash of a name
-- reply a list for each key: lines | one text or nothing | step, number, step, number, …
--   A key that holds something else has nothing, and does not hide the others.

local function list(found)
  if type(found) == 'string' then return { found } end
  return type(found) == 'table' and not found.err and found or {}
end

local reply = {}
for i = 1, #KEYS do
  if ARGV[1] == 'line' then
    reply[i] = list(redis.pcall('LRANGE', KEYS[i], 0, -1))
  elseif ARGV[1] == 'count' then
    reply[i] = list(redis.pcall('HGETALL', KEYS[i]))
  else
    reply[i] = list(redis.pcall('HGET', KEYS[i], ARGV[2]))
  end
end
return reply

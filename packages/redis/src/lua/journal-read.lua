-- journal-read: the lines of an email, the keys under a name, or the counts of some hours. Writes
-- nothing.
-- KEYS  what to read, all in one slot
-- ARGV  operation (line | name | count), the hash of a name
-- reply a list for each key: lines | one text or nothing | step, number, step, number, …

local reply = {}
for i = 1, #KEYS do
  if ARGV[1] == 'line' then
    reply[i] = redis.call('LRANGE', KEYS[i], 0, -1)
  elseif ARGV[1] == 'count' then
    reply[i] = redis.call('HGETALL', KEYS[i])
  else
    reply[i] = { redis.call('HGET', KEYS[i], ARGV[2]) or nil }
  end
end
return reply

-- copy: a page of the records that must not be forgotten (all but claims), as they are stored. A
-- record of another version may be anything, so it is one of them. A node is a separate server,
-- so that keys need not be declared.
-- ARGV  cursor, pattern of record keys
-- reply next cursor, then for each record: key, value, remaining ms (-1: forever), score (or '')

local page = call('SCAN', ARGV[1], 'MATCH', ARGV[2], 'COUNT', 500)
reply[1] = page[1]
for _, key in ipairs(page[2]) do
  local value = redis.pcall('GET', key)
  if type(value) == 'string' and parse(value).state ~= 'C' then
    local index = sub(key, 1, -22) .. ':open'
    reply[#reply + 1] = key
    reply[#reply + 1] = value
    reply[#reply + 1] = call('PTTL', key)
    reply[#reply + 1] = call('ZSCORE', index, sub(key, -21)) or ''
  end
end
return reply

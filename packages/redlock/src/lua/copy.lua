-- copy: a page of the records that must not be forgotten (all but claims), as they are stored.
-- A node is a server of its own, so that keys need not be declared.
-- ARGV  cursor, pattern of record keys
-- reply next cursor, then for each record: key, value, remaining ms (-1: for ever), score (or '')

local page = redis.call('SCAN', ARGV[1], 'MATCH', ARGV[2], 'COUNT', 500)
local reply = { page[1] }
for _, key in ipairs(page[2]) do
  local value = redis.pcall('GET', key)
  if type(value) == 'string' and string.match(value, '^[DSRX]') then
    local index = string.sub(key, 1, -22) .. ':open'
    reply[#reply + 1] = key
    reply[#reply + 1] = value
    reply[#reply + 1] = redis.call('PTTL', key)
    reply[#reply + 1] = redis.call('ZSCORE', index, string.sub(key, -21)) or ''
  end
end
return reply

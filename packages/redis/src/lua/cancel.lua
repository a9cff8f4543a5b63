-- cancel: forbid an email that was not dispatched yet, for the retention.
-- KEYS  record, index
-- ARGV  retentionMs, fields
-- reply cancelled | exists

local noToken = '----------------'
for i = 1, #KEYS / 2 do
  local key, index = KEYS[i * 2 - 1], KEYS[i * 2]
  local retentionMs, fields = ARGV[i * 2 - 1], ARGV[i * 2]
  local record = read(key)
  local state = record and record.state
  if not record or state == 'C' or state == 'K' or state == 'X' then
    call('SET', key, write('X', noToken, stamp, fields), 'PX', retentionMs)
    reply[#reply + 1] = 'cancelled'
  else
    reply[#reply + 1] = show('exists', key, index, record)
  end
end
return reply

-- cancel: forbid an email that was not dispatched yet, for the retention.
-- KEYS  record, index, buckets
-- ARGV  retentionMs, fields after "at"
-- reply cancelled | stands

local nobody = string.rep('-', 16)
for i = 1, #KEYS / 3 do
  local key, index, buckets = KEYS[i * 3 - 2], KEYS[i * 3 - 1], KEYS[i * 3]
  local retentionMs, fields = ARGV[i * 2 - 1], ARGV[i * 2]
  local record = read(key, buckets)
  if not record or record.state == 'C' or record.state == 'X' then
    call('SET', key, 'X' .. nobody .. stamp .. '\n' .. fields, 'PX', retentionMs)
    reply[#reply + 1] = 'cancelled'
  else
    reply[#reply + 1] = show('stands', key, index, record)
  end
end
return reply

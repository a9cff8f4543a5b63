-- cancel: forbid an email that was not dispatched yet, for the retention.
-- KEYS  record, index
-- ARGV  retentionMs, fields after "at"
-- reply cancelled | stands

local nobody = string.rep('-', 22)
for i = 1, #KEYS, 2 do
  local key, index, retentionMs, fields = KEYS[i], KEYS[i + 1], ARGV[i], ARGV[i + 1]
  local record = read(key)
  if not record or record.state == 'C' or record.state == 'X' then
    call('SET', key, 'X' .. nobody .. stamp .. '\n' .. fields, 'PX', retentionMs)
    reply[#reply + 1] = 'cancelled'
  else
    reply[#reply + 1] = show('stands', key, index, record)
  end
end
return reply

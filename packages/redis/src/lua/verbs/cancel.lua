-- cancel: forbid an email that was not dispatched yet, for the retention.
-- args  retentionMs, fields
-- reply cancelled | exists

function verbs.cancel(key, index, retentionMs, fields)
  local record = read(key)
  local state = record and record.state
  if not record or state == 'C' or state == 'K' or state == 'X' then
    call('SET', key, write('X', '----------------', stamp, fields), 'PX', retentionMs)
    return 'cancelled'
  end
  return show('exists', key, index, record)
end

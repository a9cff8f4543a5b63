-- resolve: end a doubt. S keeps the record for the retention, '' removes it, and removes a rejected
-- one as well (its cause is mended).
-- KEYS  record, index, buckets
-- ARGV  token, retentionMs, verdict (S | ''), note
-- reply resolved | absent | stands

for i = 1, #KEYS / 3 do
  local key, index, buckets = KEYS[i * 3 - 2], KEYS[i * 3 - 1], KEYS[i * 3]
  local token, retentionMs, verdict, note = ARGV[i * 4 - 3], ARGV[i * 4 - 2], ARGV[i * 4 - 1], ARGV[i * 4]
  local record = read(key, buckets)
  local own = record and record.token == token
  local inDoubt = own and isInDoubt(record, key, index)
  if not record then
    -- The repeat of a "not sent" whose reply was lost.
    reply[#reply + 1] = verdict == '' and 'resolved' or 'absent'
  elseif own and record.state == 'S' and verdict == 'S' then
    reply[#reply + 1] = 'resolved'
  elseif inDoubt and verdict == 'S' then
    call('ZREM', index, sub(key, -21))
    local before, after = string.match(record.value, '(\n[^\n]*\n[^\n]*\n[^\n]*\n)[^\n]*(.*)')
    call('SET', key, 'S' .. token .. stamp .. before .. note .. after, 'PX', retentionMs)
    reply[#reply + 1] = 'resolved'
  elseif verdict == '' and (inDoubt or (own and record.state == 'R')) then
    call('DEL', key)
    call('ZREM', index, sub(key, -21))
    reply[#reply + 1] = 'resolved'
  else
    reply[#reply + 1] = show('stands', key, index, record)
  end
end
return reply

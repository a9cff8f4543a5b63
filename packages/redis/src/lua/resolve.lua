-- resolve: end a doubt. S keeps the record for the retention, '' removes it, and removes a rejected
-- one as well (its cause is mended).
-- KEYS  record, index
-- ARGV  token, retentionMs, verdict (S | ''), note
-- reply resolved | absent | stands

for i = 1, #KEYS, 2 do
  local key, index, a = KEYS[i], KEYS[i + 1], (i - 1) * 2
  local token, retentionMs, verdict, note = ARGV[a + 1], ARGV[a + 2], ARGV[a + 3], ARGV[a + 4]
  local record = read(key)
  local own = record and record.token == token
  local inDoubt = own and isInDoubt(record, key, index)
  if not record then
    -- The repeat of a "not sent" whose reply was lost.
    reply[#reply + 1] = verdict == '' and 'resolved' or 'absent'
  elseif own and record.state == 'S' and verdict == 'S' then
    reply[#reply + 1] = 'resolved'
  elseif inDoubt and verdict == 'S' then
    local before, after = string.match(record.value, '(\n[^\n]*\n[^\n]*\n[^\n]*\n)[^\n]*(.*)')
    call('SET', key, 'S' .. token .. stamp .. before .. note .. after, 'PX', retentionMs)
    call('ZREM', index, sub(key, -21))
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

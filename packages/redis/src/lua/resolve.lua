-- resolve: end a doubt. S keeps the record for the retention. '' removes it, and removes a rejected
-- one as well, so that the email can be tried again.
-- KEYS  record, index
-- ARGV  token, retentionMs, verdict (S | ''), resolvedBy
-- reply resolved | absent | exists

for i = 1, #KEYS / 2 do
  local key, index = KEYS[i * 2 - 1], KEYS[i * 2]
  local token, retentionMs, verdict, resolvedBy = ARGV[i * 4 - 3], ARGV[i * 4 - 2], ARGV[i * 4 - 1], ARGV[i * 4]
  local record = read(key)
  local own = record and record.token == token
  local inDoubt = own and isInDoubt(record, key, index)
  if not record then
    -- The repeat of a "not sent" whose reply was lost.
    reply[#reply + 1] = verdict == '' and 'resolved' or 'absent'
  elseif own and record.state == 'S' and verdict == 'S' then
    reply[#reply + 1] = 'resolved'
  elseif inDoubt and verdict == 'S' then
    unlist(key, index)
    -- The eight fields from the queue to "by"; then no lateNotSent, and resolvedBy.
    local kept = string.match(
      fieldsOf(record) .. '\n\n\n\n\n\n\n\n',
      '^\n[^\n]*\n[^\n]*\n[^\n]*\n[^\n]*\n[^\n]*\n[^\n]*\n[^\n]*\n[^\n]*'
    )
    call('SET', key, write('S', token, stamp, kept .. '\n\n' .. resolvedBy), 'PX', retentionMs)
    reply[#reply + 1] = 'resolved'
  elseif verdict == '' and (inDoubt or (own and record.state == 'R')) then
    call('DEL', key)
    unlist(key, index)
    reply[#reply + 1] = 'resolved'
  else
    reply[#reply + 1] = show('exists', key, index, record)
  end
end
return reply

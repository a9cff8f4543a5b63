-- resolve: end a doubt. S keeps the record for the retention. '' removes it, and removes a rejected
-- one as well, so that the email can be tried again.
-- args  token, retentionMs, verdict (S | ''), resolvedBy
-- reply resolved | absent | exists

function verbs.resolve(key, index, token, retentionMs, verdict, resolvedBy)
  local record = read(key)
  local own = record and record.token == token
  local inDoubt = own and isInDoubt(record, key, index)
  if not record then
    -- The repeat of a "not sent" whose reply was lost.
    return verdict == '' and 'resolved' or 'absent'
  elseif own and record.state == 'S' and verdict == 'S' then
    return 'resolved'
  elseif inDoubt and verdict == 'S' then
    unlist(key, index)
    -- The eight fields from the queue to "by"; then no lateNotSent, and resolvedBy.
    local kept = string.match(
      fieldsOf(record) .. '\n\n\n\n\n\n\n\n',
      '^\n[^\n]*\n[^\n]*\n[^\n]*\n[^\n]*\n[^\n]*\n[^\n]*\n[^\n]*\n[^\n]*'
    )
    call('SET', key, write('S', token, stamp, kept .. '\n\n' .. resolvedBy), 'PX', retentionMs)
    return 'resolved'
  elseif verdict == '' and (inDoubt or (own and record.state == 'R')) then
    call('DEL', key)
    unlist(key, index)
    return 'resolved'
  else
    return show('exists', key, index, record)
  end
end

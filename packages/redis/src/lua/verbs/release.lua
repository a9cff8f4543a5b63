-- release: give back a claim, dispatched or not, because nothing was sent. One in doubt stays.
-- args  token
-- reply released | in-doubt | exists

function verbs.release(key, index, token)
  local record = read(key)
  if record and record.state == 'K' then
    return 'released'
  elseif record and not isOpen(record, token) then
    return show('exists', key, index, record)
  elseif record and not stillHolds(record, token, key, index) then
    return 'in-doubt'
  else
    call('DEL', key)
    unlist(key, index)
    return 'released'
  end
end

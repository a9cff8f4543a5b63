-- heartbeat: before dispatch a new lease, after it a new mark "still being sent".
-- args  token, leaseMs
-- reply kept | lost

function verbs.heartbeat(key, index, token, leaseMs)
  local record = read(key)
  if not record or not isOpen(record, token) then
    return 'lost'
  elseif record.state == 'C' then
    call('PEXPIRE', key, leaseMs)
  else
    call('ZREM', index, sub(key, -21))
    call('ZADD', index, now + 2 * leaseMs, sub(key, -21))
  end
  return 'kept'
end

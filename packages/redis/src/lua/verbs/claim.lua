-- claim: take the right to send, for one lease; with dispatched = 1, past the point of no return.
-- args  token, leaseMs, dispatched (0 | 1), fields
-- reply won | exists

function verbs.claim(key, index, token, leaseMs, dispatched, fields)
  dispatched = dispatched == '1'
  local value = write(dispatched and 'D' or 'C', token, stamp, fields)
  local status = 'won'
  if dispatched and call('SET', key, value, 'NX') then
    local added = redis.pcall('ZADD', index, now + 2 * leaseMs, sub(key, -21))
    if type(added) == 'table' then
      -- The index holds something else. A dispatch that was not granted must not be a doubt.
      call('DEL', key)
      return added
    end
  elseif dispatched or not call('SET', key, value, 'NX', 'PX', leaseMs) then
    local record = read(key)
    if record.state == 'K' then
      -- A skip blocks nothing.
      if dispatched then
        writeDispatched(key, index, value, leaseMs)
      else
        call('SET', key, value, 'PX', leaseMs)
      end
    elseif not stillHolds(record, token, key, index) then
      status = show('exists', key, index, record)
    -- The repeat of a claim whose reply was lost. It neither undoes a dispatch nor changes its time
    -- and texts.
    elseif record.state == 'D' then
      writeDispatched(key, index, record.value, leaseMs)
    elseif dispatched then
      writeDispatched(key, index, value, leaseMs)
    else
      call('SET', key, value, 'PX', leaseMs)
    end
  end
  return status
end

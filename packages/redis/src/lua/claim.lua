-- claim: take the right to send, for one lease; with dispatched = 1, past the point of no return.
-- KEYS  record, index
-- ARGV  token, leaseMs, dispatched (0 | 1), fields
-- reply won | exists

for i = 1, #KEYS / 2 do
  local key, index = KEYS[i * 2 - 1], KEYS[i * 2]
  local token, leaseMs, dispatched, fields = ARGV[i * 4 - 3], ARGV[i * 4 - 2], ARGV[i * 4 - 1] == '1', ARGV[i * 4]
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
  reply[#reply + 1] = status
end
return reply

-- claim: take the right to send, for one lease; with dispatched = 1, past the point of no return.
-- KEYS  record, index, buckets
-- ARGV  token, leaseMs, dispatched (0 | 1), fields after "at"
-- reply won | stands

for i = 1, #KEYS / 3 do
  local key, index, buckets = KEYS[i * 3 - 2], KEYS[i * 3 - 1], KEYS[i * 3]
  local token, leaseMs, dispatched, fields = ARGV[i * 4 - 3], ARGV[i * 4 - 2], ARGV[i * 4 - 1] == '1', ARGV[i * 4]
  local value = token .. stamp .. '\n' .. fields
  local word = 'won'
  local won
  if dispatched then
    won = call('SET', key, 'D' .. value, 'NX')
  else
    won = call('SET', key, 'C' .. value, 'NX', 'PX', leaseMs)
  end
  local sent = won and readSent(key, buckets)
  if sent then
    call('DEL', key)
    word = show('stands', key, index, sent)
  elseif won then
    if dispatched then call('ZADD', index, now + 2 * leaseMs, sub(key, -21)) end
  else
    local record = read(key, buckets)
    if not mayGoOn(record, token, key, index) then
      word = show('stands', key, index, record)
    -- The repeat of a claim whose reply was lost. It neither takes a dispatch back, nor its time or its texts.
    elseif record.state == 'D' then
      writeDispatched(key, index, record.value, leaseMs)
    elseif dispatched then
      writeDispatched(key, index, 'D' .. value, leaseMs)
    else
      call('SET', key, 'C' .. value, 'PX', leaseMs)
    end
  end
  reply[#reply + 1] = word
end
return reply

-- claim: take the right to send, for one lease; with dispatched = 1, past the point of no return.
-- KEYS  record, index
-- ARGV  token, leaseMs, dispatched (0 | 1), fields after "at"
-- reply won | stands

for i = 1, #KEYS, 2 do
  local key, index, a = KEYS[i], KEYS[i + 1], (i - 1) * 2
  local token, leaseMs, dispatched, fields = ARGV[a + 1], ARGV[a + 2], ARGV[a + 3] == '1', ARGV[a + 4]
  local value = token .. stamp .. '\n' .. fields
  local word = 'won'
  if dispatched and call('SET', key, 'D' .. value, 'NX') then
    call('ZADD', index, now + 2 * leaseMs, sub(key, -21))
  elseif dispatched or not call('SET', key, 'C' .. value, 'NX', 'PX', leaseMs) then
    local record = read(key)
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

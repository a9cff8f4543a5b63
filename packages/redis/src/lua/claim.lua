-- claim: take the right to send, for one lease; with dispatched = 1, past the point of no return.
-- KEYS  record, index
-- ARGV  token, leaseMs, dispatched (0 | 1), fields after "at"
-- reply won | stands

for i = 1, #KEYS, 2 do
  local key, index, a = KEYS[i], KEYS[i + 1], (i - 1) * 2
  local token, leaseMs, dispatched, fields = ARGV[a + 1], ARGV[a + 2], ARGV[a + 3] == '1', ARGV[a + 4]
  local value = token .. stamp .. '\n' .. fields
  local won
  if dispatched then
    won = redis.call('SET', key, 'D' .. value, 'NX')
  else
    won = redis.call('SET', key, 'C' .. value, 'NX', 'PX', leaseMs)
  end
  local record = not won and read(key)
  if won then
    if dispatched then redis.call('ZADD', index, now + 2 * leaseMs, member(key)) end
    say('won')
  elseif record and mayGoOn(record, token, key, index) then
    -- The repeat of a claim whose reply was lost. It neither takes a dispatch back, nor its time or its texts.
    if record.state == 'D' then
      writeDispatched(key, index, record.value, leaseMs)
    elseif dispatched then
      writeDispatched(key, index, 'D' .. value, leaseMs)
    else
      redis.call('SET', key, 'C' .. value, 'PX', leaseMs)
    end
    say('won')
  else
    show('stands', key, index, record)
  end
end
return reply

-- dispatch: the point of no return, compare-and-set on the token.
-- KEYS  record, index, buckets
-- ARGV  token, leaseMs
-- reply dispatched | expired | stands

for i = 1, #KEYS / 3 do
  local key, index, buckets = KEYS[i * 3 - 2], KEYS[i * 3 - 1], KEYS[i * 3]
  local token, leaseMs = ARGV[i * 2 - 1], ARGV[i * 2]
  local record = read(key, buckets)
  if not record then
    reply[#reply + 1] = 'expired'
  elseif mayGoOn(record, token, key, index) then
    -- A repeat keeps the time: from then on counts what a provider remembers.
    local at = record.state == 'D' and atOf(record) or stamp
    local fields = string.match(record.value, '\n.*')
    writeDispatched(key, index, 'D' .. token .. at .. fields, leaseMs)
    reply[#reply + 1] = 'dispatched'
  else
    reply[#reply + 1] = show('stands', key, index, record)
  end
end
return reply

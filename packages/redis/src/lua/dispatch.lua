-- dispatch: the point of no return, compare-and-set on the token.
-- KEYS  record, index
-- ARGV  token, leaseMs
-- reply dispatched | expired | exists

for i = 1, #KEYS / 2 do
  local key, index = KEYS[i * 2 - 1], KEYS[i * 2]
  local token, leaseMs = ARGV[i * 2 - 1], ARGV[i * 2]
  local record = read(key)
  if not record or record.state == 'K' then
    reply[#reply + 1] = 'expired'
  elseif stillHolds(record, token, key, index) then
    -- A repeat keeps the time: what a provider remembers counts from then on.
    local at = record.state == 'D' and record.at or stamp
    writeDispatched(key, index, write('D', token, at, fieldsOf(record)), leaseMs)
    reply[#reply + 1] = 'dispatched'
  else
    reply[#reply + 1] = show('exists', key, index, record)
  end
end
return reply

-- dispatch: the point of no return, compare-and-set on the token.
-- args  token, leaseMs
-- reply dispatched | expired | exists

function verbs.dispatch(key, index, token, leaseMs)
  local record = read(key)
  if not record or record.state == 'K' then
    return 'expired'
  elseif stillHolds(record, token, key, index) then
    -- A repeat keeps the time: what a provider remembers counts from then on.
    local at = record.state == 'D' and record.at or stamp
    writeDispatched(key, index, write('D', token, at, fieldsOf(record)), leaseMs)
    return 'dispatched'
  end
  return show('exists', key, index, record)
end

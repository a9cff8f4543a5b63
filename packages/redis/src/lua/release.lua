-- release: give back a claim, dispatched or not, because nothing was sent. One in doubt stays.
-- KEYS  record, index
-- ARGV  token
-- reply released | in-doubt | exists

for i = 1, #KEYS / 2 do
  local key, index = KEYS[i * 2 - 1], KEYS[i * 2]
  local token = ARGV[i]
  local record = read(key)
  if record and record.state == 'K' then
    reply[#reply + 1] = 'released'
  elseif record and not isOpen(record, token) then
    reply[#reply + 1] = show('exists', key, index, record)
  elseif record and not stillHolds(record, token, key, index) then
    reply[#reply + 1] = 'in-doubt'
  else
    call('DEL', key)
    unlist(key, index)
    reply[#reply + 1] = 'released'
  end
end
return reply

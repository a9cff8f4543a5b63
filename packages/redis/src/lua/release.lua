-- release: give back a claim, dispatched or not, because nothing was sent. One in doubt stays.
-- KEYS  record, index
-- ARGV  token
-- reply released | in-doubt | stands

for i = 1, #KEYS, 2 do
  local key, index, token = KEYS[i], KEYS[i + 1], ARGV[(i + 1) / 2]
  local record = read(key)
  if record and not isOpen(record, token) then
    reply[#reply + 1] = show('stands', key, index, record)
  elseif record and not mayGoOn(record, token, key, index) then
    reply[#reply + 1] = 'in-doubt'
  else
    call('DEL', key)
    call('ZREM', index, sub(key, -21))
    reply[#reply + 1] = 'released'
  end
end
return reply

-- release: give back a claim, dispatched or not, because nothing was sent. One in doubt stays.
-- KEYS  record, index, buckets
-- ARGV  token
-- reply released | in-doubt | stands

for i = 1, #KEYS / 3 do
  local key, index, buckets = KEYS[i * 3 - 2], KEYS[i * 3 - 1], KEYS[i * 3]
  local token = ARGV[i]
  local record = read(key, buckets)
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

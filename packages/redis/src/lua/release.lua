-- release: give back a claim, dispatched or not, because nothing was sent. One in doubt stays.
-- KEYS  record, index
-- ARGV  token
-- reply released | in-doubt | stands

for i = 1, #KEYS, 2 do
  local key, index, token = KEYS[i], KEYS[i + 1], ARGV[(i + 1) / 2]
  local record = read(key)
  if record and not isOpen(record, token) then
    show('stands', key, index, record)
  elseif record and not mayGoOn(record, token, key, index) then
    say('in-doubt')
  else
    redis.call('DEL', key)
    redis.call('ZREM', index, member(key))
    say('released')
  end
end
return reply

-- read: the record. Writes nothing.
-- KEYS  record, index
-- reply absent | exists

for i = 1, #KEYS / 2 do
  local key, index = KEYS[i * 2 - 1], KEYS[i * 2]
  local record = read(key)
  if record then
    reply[#reply + 1] = show('exists', key, index, record)
  else
    reply[#reply + 1] = 'absent'
  end
end
return reply

-- read: what stands there. Writes nothing.
-- KEYS  record, index, buckets
-- reply absent | stands

for i = 1, #KEYS / 3 do
  local key, index, buckets = KEYS[i * 3 - 2], KEYS[i * 3 - 1], KEYS[i * 3]
  local record = read(key, buckets)
  if record then
    reply[#reply + 1] = show('stands', key, index, record)
  else
    reply[#reply + 1] = 'absent'
  end
end
return reply

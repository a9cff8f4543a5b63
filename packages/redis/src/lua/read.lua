-- read: what stands there. Writes nothing.
-- KEYS  record, index
-- reply absent | stands

for i = 1, #KEYS, 2 do
  local record = read(KEYS[i])
  if record then
    reply[#reply + 1] = show('stands', KEYS[i], KEYS[i + 1], record)
  else
    reply[#reply + 1] = 'absent'
  end
end
return reply

-- read: the record. Writes nothing.
-- reply absent | exists

function verbs.read(key, index)
  local record = read(key)
  if not record then return 'absent' end
  return show('exists', key, index, record)
end

-- heartbeat: before dispatch a new lease, after it a new mark "still being sent".
-- KEYS  record, index
-- ARGV  token, leaseMs
-- reply kept | lost

for i = 1, #KEYS, 2 do
  local key, index, token, leaseMs = KEYS[i], KEYS[i + 1], ARGV[i], ARGV[i + 1]
  local record = read(key)
  if not record or not isOpen(record, token) then
    reply[#reply + 1] = 'lost'
  else
    if record.state == 'C' then
      call('PEXPIRE', key, leaseMs)
    else
      call('ZADD', index, now + 2 * leaseMs, sub(key, -21))
    end
    reply[#reply + 1] = 'kept'
  end
end
return reply

-- heartbeat: before dispatch a new lease, after it a new mark "still being sent".
-- KEYS  record, index
-- ARGV  token, leaseMs
-- reply kept | lost

for i = 1, #KEYS / 2 do
  local key, index = KEYS[i * 2 - 1], KEYS[i * 2]
  local token, leaseMs = ARGV[i * 2 - 1], ARGV[i * 2]
  local record = read(key)
  if not record or not isOpen(record, token) then
    reply[#reply + 1] = 'lost'
  else
    if record.state == 'C' then
      call('PEXPIRE', key, leaseMs)
    else
      call('ZREM', index, sub(key, -21))
      call('ZADD', index, now + 2 * leaseMs, sub(key, -21))
    end
    reply[#reply + 1] = 'kept'
  end
end
return reply

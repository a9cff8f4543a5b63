-- heartbeat: before dispatch a new lease, after it a new mark "still being sent".
-- KEYS  record, index
-- ARGV  token, leaseMs
-- reply kept | lost

for i = 1, #KEYS, 2 do
  local key, index, token, leaseMs = KEYS[i], KEYS[i + 1], ARGV[i], ARGV[i + 1]
  local record = read(key)
  if not record or not isOpen(record, token) then
    say('lost')
  else
    if record.state == 'C' then
      redis.call('PEXPIRE', key, leaseMs)
    else
      redis.call('ZADD', index, now + 2 * leaseMs, member(key))
    end
    say('kept')
  end
end
return reply

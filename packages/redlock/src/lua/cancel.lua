-- cancel: the cancellation of a Redis ledger, with a token of its own so that it can be taken back.
-- One that stands already keeps its token: it may have been decided.
-- KEYS  record
-- ARGV  token, fields after "at", retentionMs, at in ms (optional: now)
-- reply cancelled | stands | unreadable

local value = redis.pcall('GET', KEYS[1])
if value then
  if type(value) ~= 'string' then return 'unreadable' end
  local form = '^([CDSRX])' .. string.rep('[%w_-]', 16) .. '%d+' .. string.rep('\n[^\n]*', 5) .. '$'
  local state = string.match(value, form)
  if not state then return 'unreadable' end
  if state == 'X' then
    -- Never sooner: whoever completes a cancellation of others has a retention of his own.
    if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[3]) then redis.call('PEXPIRE', KEYS[1], ARGV[3]) end
    return 'cancelled'
  end
  if state ~= 'C' then return 'stands' end
end
local stamp = ARGV[4]
if not stamp then
  local time = redis.call('TIME')
  stamp = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
end
redis.call('SET', KEYS[1], 'X' .. ARGV[1] .. stamp .. '\n' .. ARGV[2], 'PX', ARGV[3])
return 'cancelled'

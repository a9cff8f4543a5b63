-- cancel: the cancellation of a Redis ledger, with its own token so that it can be undone.
-- A cancellation that exists keeps its token: it may have been decided.
-- KEYS  record
-- ARGV  token, fields, retentionMs, at in ms (optional: now)
-- reply cancelled | exists | { unreadable, first character }

local key, token, fields, retentionMs = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local record = read(key)
if record and record.state == '?' then return { 'unreadable', record.value } end
if record and record.state == 'X' then
  -- Never sooner: a caller that completes a cancellation of others has its own retention.
  if call('PTTL', key) < tonumber(retentionMs) then call('PEXPIRE', key, retentionMs) end
  return 'cancelled'
end
if record and record.state ~= 'C' and record.state ~= 'K' then return 'exists' end
local at = ARGV[4] and string.format('%013.0f', ARGV[4]) or stamp
call('SET', key, write('X', token, at, fields), 'PX', retentionMs)
return 'cancelled'

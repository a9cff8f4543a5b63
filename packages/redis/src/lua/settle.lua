-- settle: record the outcome, or that nobody knows it (D, in doubt from now on).
-- Lost where another attempt has dispatched or settled; only "sent" replaces a cancellation, and a doubt
-- never an outcome.
-- KEYS  record, index, buckets
-- ARGV  token, retentionMs, outcome (S | s: in a bucket where it fits | R | D), fields after "at"
-- reply settled | stands

for i = 1, #KEYS / 3 do
  local key, index, buckets = KEYS[i * 3 - 2], KEYS[i * 3 - 1], KEYS[i * 3]
  local token, retentionMs, outcome, fields = ARGV[i * 4 - 3], ARGV[i * 4 - 2], ARGV[i * 4 - 1], ARGV[i * 4]
  local compact = outcome == 's'
  if compact then outcome = 'S' end
  local record = read(key, buckets)
  local state = record and record.state
  local settled = state == 'S' or state == 'R'
  local othersFact = record and record.token ~= token and (settled or state == 'D')
  local cancelled = state == 'X' and outcome ~= 'S'
  local word = 'settled'
  if state == '?' or othersFact or cancelled or (settled and outcome == 'D') then
    word = show('stands', key, index, record)
  elseif outcome == 'D' then
    call('ZREM', index, sub(key, -21))
    -- A doubt keeps the time of its dispatch: from then on counts what a provider remembers.
    local at = state == 'D' and atOf(record) or stamp
    call('SET', key, 'D' .. token .. at .. '\n' .. fields)
    call('ZADD', index, now, sub(key, -21))
  else
    call('ZREM', index, sub(key, -21))
    if compact and keepSent(key, buckets, token, retentionMs, fields) then
      if record and not record.bucket then call('DEL', key) end
    else
      call('SET', key, outcome .. token .. stamp .. '\n' .. fields, 'PX', retentionMs)
      if record and record.bucket then call('HDEL', record.bucket, sub(key, -21)) end
    end
  end
  reply[#reply + 1] = word
end
return reply

-- settle: record the outcome, or that nobody knows it (D, in doubt from now on).
-- Lost where another attempt has dispatched or settled; only "sent" replaces a cancellation, and a doubt
-- never an outcome.
-- KEYS  record, index
-- ARGV  token, retentionMs, outcome (S | R | D), fields after "at"
-- reply settled | stands

for i = 1, #KEYS, 2 do
  local key, index, a = KEYS[i], KEYS[i + 1], (i - 1) * 2
  local token, retentionMs, outcome, fields = ARGV[a + 1], ARGV[a + 2], ARGV[a + 3], ARGV[a + 4]
  local record = read(key)
  local state = record and record.state
  local settled = state == 'S' or state == 'R'
  local othersFact = record and record.token ~= token and (settled or state == 'D')
  local cancelled = state == 'X' and outcome ~= 'S'
  local word = 'settled'
  if state == '?' or othersFact or cancelled or (settled and outcome == 'D') then
    word = show('stands', key, index, record)
  elseif outcome == 'D' then
    -- A doubt keeps the time of its dispatch: from then on counts what a provider remembers.
    local at = state == 'D' and atOf(record) or stamp
    call('SET', key, 'D' .. token .. at .. '\n' .. fields)
    call('ZADD', index, now, sub(key, -21))
  else
    call('SET', key, outcome .. token .. stamp .. '\n' .. fields, 'PX', retentionMs)
    call('ZREM', index, sub(key, -21))
  end
  reply[#reply + 1] = word
end
return reply

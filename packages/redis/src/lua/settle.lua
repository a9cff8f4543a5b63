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
  -- A doubt keeps the time of its dispatch: from then on counts what a provider remembers.
  local doubtful = outcome == 'D' and state == 'D' and not othersFact
  local value = outcome .. token .. (doubtful and record.at or stamp) .. '\n' .. fields
  if state == '?' or othersFact or cancelled or (settled and outcome == 'D') then
    show('stands', key, index, record)
  elseif outcome == 'D' then
    redis.call('SET', key, value)
    redis.call('ZADD', index, now, member(key))
    say('settled')
  else
    redis.call('SET', key, value, 'PX', retentionMs)
    redis.call('ZREM', index, member(key))
    say('settled')
  end
end
return reply

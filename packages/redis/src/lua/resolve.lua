-- resolve: end a doubt. S keeps the record for the retention, '' removes it, and removes a rejected
-- one as well (its cause is mended).
-- KEYS  record, index
-- ARGV  token, retentionMs, verdict (S | ''), note
-- reply resolved | absent | stands

for i = 1, #KEYS, 2 do
  local key, index, a = KEYS[i], KEYS[i + 1], (i - 1) * 2
  local token, retentionMs, verdict, note = ARGV[a + 1], ARGV[a + 2], ARGV[a + 3], ARGV[a + 4]
  local record = read(key)
  local own = record and record.token == token
  local inDoubt = own and isInDoubt(record, key, index)
  if not record then
    -- The repeat of a "not sent" whose reply was lost.
    say(verdict == '' and 'resolved' or 'absent')
  elseif own and record.state == 'S' and verdict == 'S' then
    say('resolved')
  elseif inDoubt and verdict == 'S' then
    local fields = { record.fingerprint, record.by, record.messageId, note, record.result }
    local value = 'S' .. token .. stamp .. '\n' .. table.concat(fields, '\n')
    redis.call('SET', key, value, 'PX', retentionMs)
    redis.call('ZREM', index, member(key))
    say('resolved')
  elseif verdict == '' and (inDoubt or (own and record.state == 'R')) then
    redis.call('DEL', key)
    redis.call('ZREM', index, member(key))
    say('resolved')
  else
    show('stands', key, index, record)
  end
end
return reply

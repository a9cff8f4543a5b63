-- settle: record the outcome, or that it is unknown (D, in doubt from now on). Lost if another
-- attempt has dispatched or settled. Only the "sent" of a dispatch replaces a cancellation, a skip
-- leaves another attempt's claim alone, and neither a skip nor a doubt replaces an outcome.
-- args  token, retentionMs, outcome (S | U sent without a dispatch | R | K | D), fields
-- reply settled | exists

function verbs.settle(key, index, token, retentionMs, outcome, fields)
  local record = read(key)
  local state = record and record.state
  local settled = state == 'S' or state == 'R'
  local othersFact = record and record.token ~= token and (settled or state == 'D')
  local othersClaim = outcome == 'K' and state == 'C' and record.token ~= token
  local cancelled = state == 'X' and outcome ~= 'S'
  local status = 'settled'
  if state == '?' or othersFact or othersClaim or cancelled or (settled and (outcome == 'D' or outcome == 'K')) then
    status = show('exists', key, index, record)
  elseif outcome == 'D' then
    unlist(key, index)
    -- A doubt keeps the time of its dispatch: what a provider remembers counts from then on.
    local at = state == 'D' and record.at or stamp
    call('SET', key, write('D', token, at, fields))
    local added = redis.pcall('ZADD', index, now, sub(key, -21))
    -- A doubt that is in no index would never be listed: its sender repeats this until it is.
    if type(added) == 'table' then return added end
  else
    unlist(key, index)
    call('SET', key, write(outcome == 'U' and 'S' or outcome, token, stamp, fields), 'PX', retentionMs)
  end
  return status
end

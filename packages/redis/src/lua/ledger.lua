-- ledger: run verbs, each as if it were called alone. Embedded behind all of them, because what an
-- email costs is the number of calls.
-- KEYS  for each: record, index
-- ARGV  for each: verb, and four arguments, '' where it has fewer
-- reply for each what the verb replies, or { error, why }

for i = 1, #KEYS / 2 do
  local at = i * 5
  local done, result = pcall(
    verbs[ARGV[at - 4]], KEYS[i * 2 - 1], KEYS[i * 2], ARGV[at - 3], ARGV[at - 2], ARGV[at - 1], ARGV[at]
  )
  if not done or (type(result) == 'table' and result.err) then
    local why = type(result) == 'table' and result.err or result
    why = string.match(why, '%u+ .*') or 'ERR ' .. why
    -- A key that holds something else, and a full memory, do not fail the other emails. All else
    -- fails the call, so that a client that reconnects for it (READONLY) sees it.
    if not string.match(why, '^WRONGTYPE ') and not string.match(why, '^OOM ') then
      return redis.error_reply(why)
    end
    result = { 'error', why }
  end
  reply[i] = result
end
return reply

-- ledger: run verbs, each as if it were called alone. Embedded behind all of them, because what an
-- email costs is the number of calls.
-- KEYS  for each: record, index
-- ARGV  for each: verb, and its arguments
-- reply for each what the verb replies, or { error, why }

local numberOfArguments = {
  cancel = 2, claim = 4, dispatch = 2, heartbeat = 2, read = 0, release = 1, resolve = 4, settle = 4,
}
local at = 1
for i = 1, #KEYS / 2 do
  local verb = ARGV[at]
  -- A verb that has fewer arguments does not look at the others.
  local done, result = pcall(
    verbs[verb], KEYS[i * 2 - 1], KEYS[i * 2], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4]
  )
  at = at + 1 + numberOfArguments[verb]
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

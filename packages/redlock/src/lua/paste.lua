-- paste: write records that were copied from another node, where they are more conclusive than the
-- record that exists.
-- KEYS  record, …
-- ARGV  value, remaining ms (-1: forever), score (or ''), …
-- reply how many records are now in the state and of the attempt that were given

-- A record of another version takes the place of a claim or a skip only, and nothing takes its
-- place.
local rank = { C = 1, K = 1, ['?'] = 2, X = 2, D = 3, R = 4, S = 4 }
local same = 0
for i, key in ipairs(KEYS) do
  local value, remaining, score = ARGV[i * 3 - 2], ARGV[i * 3 - 1], ARGV[i * 3]
  local index, member = sub(key, 1, -22) .. ':open', sub(key, -21)
  local given, found = parse(value), read(key)
  local mayReplace = not found or (found.state ~= '?' and rank[given.state] > rank[found.state])
  -- Another attempt's dispatch stays listed, also against an outcome.
  if found and found.state == 'D' and found.token ~= given.token then mayReplace = false end
  if mayReplace and remaining == '-1' then
    call('SET', key, value)
    if score ~= '' then call('ZADD', index, score, member) end
  elseif mayReplace then
    -- First, because a script that has written may write while the memory is full.
    call('ZREM', index, member)
    call('SET', key, value, 'PX', remaining)
  end
  if mayReplace or (found.state == given.state and found.token == given.token) then same = same + 1 end
end
return same

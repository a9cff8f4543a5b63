-- list: a page of the open dispatches of some shards, those without a sign of life for longest
-- first. Writes nothing.
-- A page begins behind an entry, and not at a rank: ranks move while others settle.
-- KEYS  index, …
-- ARGV  how many entries of each index at most; then for each index: the score and the member of
--   the entry behind which the page begins (no member: behind all of this score), and the highest
--   score: a number, `now`, or `past`: what is written from now on has a higher one
-- reply for each index: the highest score, then member, score, member, score, …
--   or nothing if it holds something else: it does not hide the others

local call, byte = redis.call, string.byte
local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local limit = tonumber(ARGV[1])

-- As Redis orders members of one score. `<` would follow the locale of the server.
local function isBefore(one, other)
  for i = 1, math.min(#one, #other) do
    local left, right = byte(one, i), byte(other, i)
    if left ~= right then return left < right end
  end
  return #one < #other
end

local function firstRank(index, score, member)
  if member == '' then return call('ZCOUNT', index, '-inf', score) end
  -- The first one behind it, among those of its score: the entry may have ended or moved.
  local low = call('ZCOUNT', index, '-inf', '(' .. score)
  local high = call('ZCOUNT', index, '-inf', score)
  while low < high do
    local middle = math.floor((low + high) / 2)
    if isBefore(member, call('ZRANGE', index, middle, middle)[1]) then
      high = middle
    else
      low = middle + 1
    end
  end
  return low
end

local function readPage(index, score, member, highest)
  local page = { string.format('%.0f', highest) }
  local first = firstRank(index, score, member)
  local found = call('ZRANGE', index, first, first + limit - 1, 'WITHSCORES')
  for i = 1, #found, 2 do
    if tonumber(found[i + 1]) > highest then break end
    page[#page + 1] = found[i]
    page[#page + 1] = found[i + 1]
  end
  return page
end

local pages = {}
for i, index in ipairs(KEYS) do
  local size = redis.pcall('ZCOUNT', index, '-inf', '+inf')
  if type(size) == 'number' then
    local highest = ARGV[i * 3 + 1]
    highest = highest == 'now' and now or highest == 'past' and now - 1 or tonumber(highest)
    pages[i] = readPage(index, ARGV[i * 3 - 1], ARGV[i * 3], highest)
  elseif string.find(size.err, 'WRONGTYPE') then
    pages[i] = {}
  else
    return size
  end
end
return pages

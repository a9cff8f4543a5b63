-- open: all open dispatches, with how long their mark "still being sent" lasts by this server's
-- clock.
-- KEYS  the indexes of all shards
-- reply number of the shard, member, remaining ms, …

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local reply = {}
for shard, index in ipairs(KEYS) do
  local open = redis.call('ZRANGE', index, 0, -1, 'WITHSCORES')
  for i = 1, #open, 2 do
    reply[#reply + 1] = shard - 1
    reply[#reply + 1] = open[i]
    reply[#reply + 1] = string.format('%.0f', tonumber(open[i + 1]) - now)
  end
end
return reply

-- Sent emails in buckets: a hash of up to about 100 of them costs about a third of as many strings, as Redis
-- packs it into one block. `buckets` holds the number of buckets of its shard; bucket 0 is the hash `buckets:0`.
-- A field is the record's key without prefix and shard, its value
--   at (6 bytes) retention in seconds, rounded up (4 bytes) token (16) fields, as in record.lua, up to the last that
--   has a text
--
-- Redis 5 to 7.2 cannot expire a field: one that is over is not seen, and goes when its bucket is full. A
-- bucket expires as a whole when nothing was added for as long as its last email is kept.

local full = 100

-- Moves about half of the next bucket in line into a new one: so the buckets grow with the emails.
local function split(buckets, count)
  local _, bits = math.frexp(count)
  local from, to = buckets .. ':' .. count - 2 ^ (bits - 1), buckets .. ':' .. count
  call('SET', buckets, count + 1)
  local all, moved, values = call('HGETALL', from), {}, {}
  for i = 1, #all, 2 do
    if bucketOf(buckets, count + 1, all[i]) == to then
      moved[#moved + 1] = all[i]
      values[#values + 1] = all[i]
      values[#values + 1] = all[i + 1]
    end
  end
  if #moved == 0 then return end
  local ttl = call('PTTL', from)
  call('HSET', to, unpack(values))
  if ttl > 0 then call('PEXPIRE', to, ttl) end
  call('HDEL', from, unpack(moved))
end

local function forgetOver(bucket)
  local all, over = call('HGETALL', bucket), {}
  for i = 1, #all, 2 do
    local at, seconds = struct.unpack('>I6I4', all[i + 1])
    if at + seconds * 1000 <= now then over[#over + 1] = all[i] end
  end
  if #over > 0 then call('HDEL', bucket, unpack(over)) end
  return #all / 2 - #over
end

-- false where the email has no place in a bucket: its texts are long, or its retention so short that a second counts.
local function keepSent(key, buckets, token, retentionMs, fields)
  local seconds = math.ceil(retentionMs / 1000)
  while sub(fields, -1) == '\n' do fields = sub(fields, 1, -2) end
  if #token ~= 16 or #fields > 64 - 26 or seconds < 60 or seconds >= 2 ^ 32 then return false end
  local count = tonumber(call('GET', buckets))
  if not count then
    count = 1
    call('SET', buckets, 1)
  end
  local bucket = bucketOf(buckets, count, key)
  call('HSET', bucket, sub(key, -21), struct.pack('>I6I4', now, seconds) .. token .. fields)
  -- Some longer than needed, so that not every email has to move it.
  if call('PTTL', bucket) < seconds * 1000 then call('PEXPIRE', bucket, seconds * 1250) end
  if call('HLEN', bucket) > full and forgetOver(bucket) > full then split(buckets, count) end
  return true
end


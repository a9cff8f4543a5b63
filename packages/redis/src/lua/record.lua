-- The record, shared by all verbs: embedded in front of each of them.
--
-- A record is one string:
--   state token at \n fingerprint \n by \n messageId \n note \n result
-- state: C claimed, D dispatched, S sent, R rejected, X cancelled; token: 16 characters;
-- at: ms since 1970 by this server's clock. Text fields have \ and newline escaped by the client, and shortened what
-- is made of the key, see record.ts.
-- C lives for a lease, S R X for the retention, D has no expiry.
--
-- The index of a shard (a ZSET) holds the open dispatches, scored by the time from which they are in
-- doubt. A D without score is in doubt: an index that was lost must not hide one.
--
-- A sent email may be kept in a bucket instead, see compact.lua.
--
-- All scripts take many operations: KEYS has three for each (record, index, buckets), ARGV a fixed width.
-- They reply a list with one element for each: a word, or { word, record, remaining ms }.
--
-- Where the memory is full, Redis refuses what could enlarge it (claims, dispatches, cancellations), but not in a
-- script that has written before. What is said about an email that was dispatched must get through, and takes the
-- place of its dispatch: those scripts begin by a ZREM, as BullMQ's acknowledgement gets through as well.
--
-- A script runs for every email, so that what each call sets up is little: no string.rep, few closures.

local call, sub, find = redis.call, string.sub, string.find
local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local stamp = string.format('%.0f', now)
local reply = {}

-- Linear hashing: of `count` buckets those before the splitting point have been split already. By any six
-- characters of the key, which is a hash itself; weighted, as the codes of base64url are not even.
local function bucketOf(buckets, count, key)
  local a, b, c, d, e, f = string.byte(key, -6, -1)
  local hash = a * 7368787 + b * 3145739 + c * 1572869 + d * 786433 + e * 393241 + f * 196613
  local _, bits = math.frexp(count - 1)
  local address = hash % 2 ^ bits
  if address >= tonumber(count) then address = address - 2 ^ (bits - 1) end
  return buckets .. ':' .. address
end

-- A sent email in its bucket: see compact.lua, which writes them. Nil when it is not there, or is over.
local function readSent(key, buckets)
  local count = call('GET', buckets)
  if not count then return nil end
  local bucket = bucketOf(buckets, count, key)
  local value = call('HGET', bucket, sub(key, -21))
  if not value then return nil end
  local at, seconds = struct.unpack('>I6I4', value)
  if at + seconds * 1000 <= now then return nil end
  local token, fields = sub(value, 11, 26), sub(value, 27)
  local _, lines = string.gsub(fields, '\n', '\n')
  fields = fields .. sub('\n\n\n\n', lines + 1)
  local text = 'S' .. token .. string.format('%.0f', at) .. '\n' .. fields
  return { state = 'S', token = token, value = text, bucket = bucket }
end

-- nil when absent; state '?' when it cannot be read.
local function read(key, buckets)
  local value = redis.pcall('GET', key)
  if not value then return readSent(key, buckets) end
  local state = type(value) == 'string' and sub(value, 1, 1)
  local readable = state and find(value, '^[CDSRX]')
    and find(value, '^%d+\n[^\n]*\n[^\n]*\n[^\n]*\n[^\n]*\n[^\n]*$', 18)
  if not readable then return { state = '?', value = '' } end
  return { state = state, token = sub(value, 2, 17), value = value }
end

local function atOf(record)
  return string.match(record.value, '^%d+', 18)
end

local function isOpen(record, token)
  return record.token == token and (record.state == 'C' or record.state == 'D')
end

local function isInDoubt(record, key, index)
  if record.state ~= 'D' then return false end
  local score = call('ZSCORE', index, sub(key, -21))
  return not score or tonumber(score) <= now
end

-- It holds the record open, and nobody was told yet that it is in doubt.
local function mayGoOn(record, token, key, index)
  return isOpen(record, token) and not isInDoubt(record, key, index)
end

-- Past the point of no return: no expiry, and the mark "still being sent" for two leases.
local function writeDispatched(key, index, value, leaseMs)
  call('SET', key, value)
  call('ZADD', index, now + 2 * leaseMs, sub(key, -21))
end

-- What stands there, for those who lost: how long a lease or a mark still lasts. In doubt: how long ago it
-- was dispatched, negated.
local function show(word, key, index, record)
  local remaining = 0
  if record.state == '?' then
    word = 'unreadable'
  elseif record.state == 'C' then
    remaining = call('PTTL', key)
  elseif record.state == 'D' then
    remaining = (call('ZSCORE', index, sub(key, -21)) or now) - now
    if remaining <= 0 then remaining = math.min(0, tonumber(atOf(record)) - now) end
  end
  return { word, record.value, remaining }
end


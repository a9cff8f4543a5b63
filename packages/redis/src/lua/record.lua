-- The record, shared by all verbs: embedded in front of each of them.
--
-- A record is one string:
--   state token at \n fingerprint \n by \n messageId \n note \n result
-- state: C claimed, D dispatched, S sent, R rejected, X cancelled; token: 22 characters;
-- at: ms since 1970 by this server's clock. Text fields have \ and newline escaped by the client.
-- C lives for a lease, S R X for the retention, D has no expiry.
--
-- The index of a shard (a ZSET) holds the open dispatches, scored by the time from which they are in
-- doubt. A D without score is in doubt: an index that was lost must not hide one.
--
-- All scripts take many operations: KEYS are pairs (record, index), ARGV has a fixed width for each.
-- They reply a list with one element for each: a word, or { word, record, remaining ms }.
--
-- A script runs for every email, so that what each call sets up is little: no string.rep, few closures.

local call, sub, find = redis.call, string.sub, string.find
local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local stamp = string.format('%.0f', now)
local reply = {}

-- nil when absent; state '?' when it cannot be read.
local function read(key)
  local value = redis.pcall('GET', key)
  if not value then return nil end
  local state = type(value) == 'string' and sub(value, 1, 1)
  local readable = state and find(value, '^[CDSRX]')
    and find(value, '^%d+\n[^\n]*\n[^\n]*\n[^\n]*\n[^\n]*\n[^\n]*$', 24)
  if not readable then return { state = '?', value = '' } end
  return { state = state, token = sub(value, 2, 23), value = value }
end

local function atOf(record)
  return string.match(record.value, '^%d+', 24)
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


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
-- They reply a flat list with three elements for each: status, record (or ''), remaining ms.

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local stamp = string.format('%.0f', now)

local head = '^([CDSRX])(' .. string.rep('[%w_-]', 22) .. ')(%d+)\n'
local line = '([^\n]*)'
local form = head .. line .. '\n' .. line .. '\n' .. line .. '\n' .. line .. '\n' .. line .. '$'

-- nil when absent; state '?' when it cannot be read.
local function read(key)
  local value = redis.pcall('GET', key)
  if not value then return nil end
  if type(value) ~= 'string' then return { state = '?', value = '' } end
  local state, token, at, fingerprint, by, messageId, note, result = string.match(value, form)
  if not state then return { state = '?', value = '' } end
  return {
    state = state, token = token, at = at, value = value,
    fingerprint = fingerprint, by = by, messageId = messageId, note = note, result = result,
  }
end

local function member(key)
  return string.sub(key, -21)
end

local function isOpen(record, token)
  return record.token == token and (record.state == 'C' or record.state == 'D')
end

local function isInDoubt(record, key, index)
  if record.state ~= 'D' then return false end
  local score = redis.call('ZSCORE', index, member(key))
  return not score or tonumber(score) <= now
end

-- It holds the record open, and nobody was told yet that it is in doubt.
local function mayGoOn(record, token, key, index)
  return isOpen(record, token) and not isInDoubt(record, key, index)
end

-- Past the point of no return: no expiry, and the mark "still being sent" for two leases.
local function writeDispatched(key, index, value, leaseMs)
  redis.call('SET', key, value)
  redis.call('ZADD', index, now + 2 * leaseMs, member(key))
end

local reply = {}

local function say(status)
  reply[#reply + 1] = status
  reply[#reply + 1] = ''
  reply[#reply + 1] = 0
end

-- What stands there, for those who lost: how long a lease or a mark still lasts. In doubt: how long ago it
-- was dispatched, negated.
local function show(status, key, index, record)
  local remaining = 0
  if record.state == '?' then
    status = 'unreadable'
  elseif record.state == 'C' then
    remaining = redis.call('PTTL', key)
  elseif record.state == 'D' then
    remaining = (redis.call('ZSCORE', index, member(key)) or now) - now
    if remaining <= 0 then remaining = math.min(0, tonumber(record.at) - now) end
  end
  reply[#reply + 1] = status
  reply[#reply + 1] = record.value
  reply[#reply + 1] = remaining
end

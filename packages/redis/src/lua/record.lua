-- The record, shared by all verbs: embedded in front of them, and of the scripts of the redlock
-- ledger that read records.
--
-- A record is one string:
--   version (1 character) state (1) token (16) at (13) fields
-- version: "1" is the only one that this code reads. A record of another version is left as it is,
-- see docs/decisions/0022-a-record-has-a-version.md.
-- state: C claimed, D dispatched, S sent, R rejected, K skipped, X cancelled.
-- at: ms since 1970 by this server's clock, 13 digits.
-- fields: ten texts, each behind a newline, without the empty ones at the end:
--   queue and id of the job, digest, Message-ID, fingerprint, result, note, by, "1" for
-- lateNotSent, resolvedBy The client escapes \ and newline in them.
-- C lives for a lease, S R K X for the retention, D has no expiry.
--
-- The index of a shard (a ZSET) holds the open dispatches, scored by the time from which they are
-- in doubt. A D without score is in doubt: an index that was lost must not hide one.
--
-- A verb is a function of a record, the index of its shard, and at most four arguments. It replies
-- a status, or { status, record, remaining ms }. ledger.lua runs many of them.
--
-- If the memory is full, Redis refuses what could enlarge it (claims, dispatches, cancellations),
-- but not in a script that has written before. An outcome of a dispatched email must be recorded
-- then, too, and takes the place of its dispatch: those scripts begin with a ZREM.
--
-- A script runs for every email, so each call sets up little: no string.rep, few closures.

local call, sub = redis.call, string.sub
local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local stamp = string.format('%013.0f', now)
local reply = {}

local function write(state, token, at, fields)
  return '1' .. state .. token .. at .. fields
end

-- State '?' when this code cannot read it; its value is then its first character, which names its
-- version. One match: with four finds a script took half a microsecond more for each record.
local function parse(value)
  if type(value) ~= 'string' then return { state = '?', value = '' } end
  local state, token, at, after = string.match(value, '^1([CDSRKX])(................)(%d+)(.?)')
  if not state or #at ~= 13 or (after ~= '' and after ~= '\n') then
    return { state = '?', value = sub(value, 1, 1) }
  end
  return { state = state, token = token, at = at, value = value }
end

-- nil when absent.
local function read(key)
  local value = redis.pcall('GET', key)
  return value and parse(value) or nil
end

local function fieldsOf(record)
  return sub(record.value, 32)
end

local function isOpen(record, token)
  return record.token == token and (record.state == 'C' or record.state == 'D')
end

local function isInDoubt(record, key, index)
  if record.state ~= 'D' then return false end
  local score = call('ZSCORE', index, sub(key, -21))
  return not score or tonumber(score) <= now
end

-- The token holds the record open, and no caller was given it as a doubt yet.
local function stillHolds(record, token, key, index)
  return isOpen(record, token) and not isInDoubt(record, key, index)
end

-- Past the point of no return: no expiry, and the mark "still being sent" for two leases. First the
-- mark: if the index holds something else, nothing is written.
local function writeDispatched(key, index, value, leaseMs)
  call('ZADD', index, now + 2 * leaseMs, sub(key, -21))
  call('SET', key, value)
end

-- Takes an email from the index. An index that holds something else must not lose an outcome.
local function unlist(key, index)
  redis.pcall('ZREM', index, sub(key, -21))
end

-- The record, and how long its lease or its mark still lasts. In doubt: how long ago it was
-- dispatched, negated.
local function show(status, key, index, record)
  local remaining = 0
  if record.state == '?' then
    status = 'unreadable'
  elseif record.state == 'C' then
    remaining = call('PTTL', key)
  elseif record.state == 'D' then
    remaining = (call('ZSCORE', index, sub(key, -21)) or now) - now
    if remaining <= 0 then remaining = math.min(0, tonumber(record.at) - now) end
  end
  return { status, record.value, remaining }
end

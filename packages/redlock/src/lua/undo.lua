-- undo: remove what this token wrote, unless it has changed since.
-- KEYS  record, index
-- ARGV  state, token, "leave doubts" or nothing: a dispatch whose mark is over stays
-- reply 1 | 0

local key, index = KEYS[1], KEYS[2]
local record = read(key)
if not record or record.state ~= ARGV[1] or record.token ~= ARGV[2] then return 0 end
if ARGV[3] == 'leave doubts' and isInDoubt(record, key, index) then return 0 end
call('ZREM', index, sub(key, -21))
return call('DEL', key)

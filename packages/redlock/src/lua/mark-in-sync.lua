-- mark-in-sync: this run of the server has all records again, if it is still this run.
-- KEYS  in-sync mark
-- ARGV  the run that was resynced
-- reply 1 | 0

if string.match(redis.call('INFO', 'server'), 'run_id:(%w+)') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1])
return 1

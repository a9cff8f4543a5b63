-- join: this run of the server remembers everything again, if it is still this run.
-- KEYS  member
-- ARGV  the run that was caught up
-- reply 1 | 0

if string.match(redis.call('INFO', 'server'), 'run_id:(%w+)') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1])
return 1

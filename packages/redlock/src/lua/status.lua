-- status: which run of the server this is, and which run was last known to have all records. The
-- two are equal until it restarts, with or without its data.
-- KEYS  in-sync mark
-- reply this run, the run that is in sync (or '')

local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
return { run, redis.call('GET', KEYS[1]) or '' }

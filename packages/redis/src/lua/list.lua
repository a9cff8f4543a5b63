-- list: the open dispatches of one shard, those without a sign of life for longest first. Writes
-- nothing.
-- A script and not a plain ZRANGE, so that RESP2 and RESP3 clients get the same reply.
-- KEYS  index
-- reply member, score, member, score, …

return redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')

-- Say that a gateway lives, for as long as its lease. KEYS: the gateways. ARGV: the gateway, its lease in
-- milliseconds, and the name that it had before. Returns whether it was known, and how many gateways live.

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
if ARGV[3] ~= '' then redis.call('ZREM', KEYS[1], ARGV[3]) end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. string.format('%.0f', now))
local was_known = redis.call('ZSCORE', KEYS[1], ARGV[1])
redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[2] * 1000), ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2] * 10)
return { was_known and 1 or 0, redis.call('ZCARD', KEYS[1]) }

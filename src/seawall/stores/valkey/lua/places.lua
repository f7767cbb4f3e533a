-- Change how many calls of a gateway run at once. KEYS: a limit each. ARGV: 'leave' or 'claim', the gateway, and
-- for a claim how many of each limit run. A claim is made by a gateway that the server has forgotten.

for place, key in ipairs(KEYS) do
  if ARGV[1] == 'claim' then
    redis.call('HSET', key, ARGV[2], ARGV[place + 2])
    redis.call('PEXPIRE', key, 3600000)
  elseif redis.call('HINCRBY', key, ARGV[2], -1) <= 0 then
    redis.call('HDEL', key, ARGV[2])
  end
end

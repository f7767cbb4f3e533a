-- Put the tokens that were billed in the place of the estimate: fewer lighten their slot, more count from now on.
-- KEYS: a limit on tokens each. ARGV: the moment as in admit.lua, the gateway, the estimate, what was billed,
-- then for each limit: its period and the slot that holds the estimate.

local now, estimated, billed = now_of(ARGV[1]), tonumber(ARGV[3]), tonumber(ARGV[4])
for place, key in ipairs(KEYS) do
  local period, slot = string.match(ARGV[place + 4], '(%d+) (%d+)')
  local l = { key = key, period = tonumber(period) }
  expire(l, now - l.period)
  if billed > estimated then
    add(l, now, billed - estimated)
  elseif billed < estimated and l.first then
    local found = redis.call('LPOS', key, slot)
    if found then
      local held = tonumber(redis.call('LINDEX', key, found + 1))
      local less = math.min(held, estimated - billed)
      redis.call('LSET', key, found + 1, digits(held - less))
      redis.call('LSET', key, 0, digits(l.total - less))
    end
  end
end

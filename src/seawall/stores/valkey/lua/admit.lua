-- Take one call from all limits or from none; or only look, where nothing is to be taken.
-- KEYS: the gateways, then a limit each. ARGV: the moment in microseconds ('' for that of the server), the
-- gateway, 'take' or 'look', then for each limit: kind count period burst amount.
-- Returns numbers with spaces between: the place of the limit that stands against it the longest (0 where none
-- does), how long, and for each limit: used, microseconds until some and until all of it is free, its slot.

local now, limits, worst, longest = now_of(ARGV[1]), {}, 0, 0
for place = 2, #KEYS do
  local kind, count, period, burst, amount = string.match(ARGV[place + 2], '(%S+) (%d+) (%d+) (%d+) (%d+)')
  local l = {
    key = KEYS[place], kind = KINDS[kind], count = tonumber(count), period = tonumber(period),
    burst = tonumber(burst), amount = tonumber(amount),
  }
  limits[place - 1] = l
  local wait = l.kind.wait(l, now)
  if wait > longest then worst, longest = place - 1, wait end
end
local told = { digits(worst), digits(longest) }
for _, l in ipairs(limits) do
  if worst == 0 and ARGV[3] == 'take' then l.kind.take(l, now) end
  local used, frees, empty = l.kind.mark(l, now)
  told[#told + 1] = digits(used) .. ' ' .. digits(frees) .. ' ' .. digits(empty) .. ' ' .. digits(l.slot or 0)
end
return table.concat(told, ' ')

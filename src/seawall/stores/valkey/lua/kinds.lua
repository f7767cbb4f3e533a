-- What is used of a limit, and how it is counted: the twin of stores/memory/counters.py, where the promises
-- stand. All times are whole microseconds; numbers up to 2^53 are exact. A limit `l` has: key, kind, count,
-- period, burst, amount. For each kind: `wait` says how long until the limit admits the amount, `take` takes
-- it, `mark` says what is used, and when some and all of it is free again.

local WIDTH = 16     -- digits of a moment
local SLOTS = 1000
-- Milliseconds that a key outlives what it holds; longer where the moment is told: the server does not know how
-- fast that clock goes.
local SLACK = ARGV[1] == '' and 1000 or 3600000
local AT_ONCE_WAIT = 1000000
local AT_ONCE_KEPT = 3600000

local function digits(number) return string.format('%.0f', number) end

local function lives(span) return digits(math.max(0, math.ceil(span / 1000)) + SLACK) end

local log, slots, bucket, at_once = {}, {}, {}, {}
local KINDS = { log = log, slots = slots, bucket = bucket, at_once = at_once }

-- The moments of the last uses in one string, the oldest first.

local function moment(l, number)
  return tonumber(string.sub(l.times, (number - 1) * WIDTH + 1, number * WIDTH))
end

function log.wait(l, now)
  l.times = redis.call('GET', l.key) or ''
  l.uses = #l.times / WIDTH
  if l.uses < l.count then return 0 end
  return math.max(0, moment(l, l.uses - l.count + 1) + l.period - now)
end

function log.take(l, now)
  local at = now
  if l.uses > 0 then at = math.max(now, moment(l, l.uses)) end  -- A clock that goes back frees nothing early.
  l.times = string.sub(l.times .. string.format('%016.0f', at), -l.count * WIDTH)
  l.uses = #l.times / WIDTH
  redis.call('SET', l.key, l.times, 'PX', lives(at + l.period - now))
end

function log.mark(l, now)
  local first, last = 1, l.uses + 1
  while first < last do
    local middle = math.floor((first + last) / 2)
    if moment(l, middle) <= now - l.period then first = middle + 1 else last = middle end
  end
  if first > l.uses then return 0, 0, 0 end
  return l.uses - first + 1, moment(l, first) + l.period - now, moment(l, l.uses) + l.period - now
end

-- Sums by slots in one list: the total, then the end and the amount of each slot, the oldest first.

local function expire(l, past)
  local head = redis.call('LRANGE', l.key, 0, 1)
  l.first = tonumber(head[2])
  l.total = tonumber(head[1]) or 0
  while l.first and l.first <= past do
    local some, gone = redis.call('LRANGE', l.key, 1, 100), 0
    while some[gone + 1] and tonumber(some[gone + 1]) <= past do
      l.total = l.total - tonumber(some[gone + 2])
      gone = gone + 2
    end
    l.first = tonumber(some[gone + 1])
    if not l.first and redis.call('LLEN', l.key) == gone + 1 then
      redis.call('DEL', l.key)
      l.total = 0
    else
      redis.call('LTRIM', l.key, gone, -1)  -- What stands first now is no slot: the total takes its place.
      redis.call('LSET', l.key, 0, digits(l.total))
      if not l.first then l.first = tonumber(redis.call('LINDEX', l.key, 1)) end
    end
  end
end

local function add(l, now, amount)
  local size = math.max(1, math.floor(l.period / SLOTS))
  local ends = now - now % size + size - 1
  local newest = l.first and redis.call('LRANGE', l.key, -2, -1)
  l.total = l.total + amount
  if newest and tonumber(newest[1]) >= ends then
    ends = tonumber(newest[1])
    redis.call('LSET', l.key, -1, digits(tonumber(newest[2]) + amount))
    redis.call('LSET', l.key, 0, digits(l.total))
    return ends
  end
  if newest then
    redis.call('RPUSH', l.key, digits(ends), digits(amount))
    redis.call('LSET', l.key, 0, digits(l.total))
  else
    redis.call('RPUSH', l.key, digits(l.total), digits(ends), digits(amount))
    l.first = ends
  end
  redis.call('PEXPIRE', l.key, lives(ends + l.period - now))
  return ends
end

function slots.wait(l, now)
  expire(l, now - l.period)
  -- One that is larger than the limit itself passes when nothing else counts, and overdraws it.
  local over = l.total + math.min(l.amount, l.count) - l.count
  if over <= 0 then return 0 end
  local from = 1
  while true do
    local some = redis.call('LRANGE', l.key, from, from + 99)
    for place = 1, #some, 2 do
      over = over - tonumber(some[place + 1])
      if over <= 0 then return math.max(1, tonumber(some[place]) + l.period - now) end
    end
    if #some < 100 then return l.period end
    from = from + 100
  end
end

function slots.take(l, now) l.slot = add(l, now, l.amount) end

function slots.mark(l, now)
  if not l.first then return 0, 0, 0 end
  local last = tonumber(redis.call('LINDEX', l.key, -2))
  return l.total, l.first + l.period - now, last + l.period - now
end

-- A steady rate with a burst (GCRA): the theoretical arrival time of the next call is `at` and `part` of
-- `count` parts of a microsecond.

local function keep(l, now)
  local state = digits(l.at) .. ' ' .. digits(l.part) .. ' ' .. digits(l.count)
  redis.call('SET', l.key, state, 'PX', lives(l.at - now))
end

local function ahead(l, now) return math.max(0, (l.at - now) * l.count + l.part) end

function bucket.wait(l, now)
  local state = redis.call('GET', l.key)
  l.at, l.part = 0, 0
  if state then
    local at, part, count = string.match(state, '(%d+) (%d+) (%d+)')
    l.at, l.part = tonumber(at), tonumber(part)
    if tonumber(count) ~= l.count then  -- As many calls are ahead of the new rate as were of the old one.
      local parts = math.max(0, (l.at - now) * tonumber(count) + l.part)
      l.at, l.part = now + math.floor(parts / l.count), parts % l.count
      keep(l, now)
    end
  end
  local early = (l.at - now) * l.count + l.part - (l.burst - 1) * l.period
  if early <= 0 then return 0 end
  local wait = math.floor(early / l.count)
  return wait * l.count < early and wait + 1 or wait
end

function bucket.take(l, now)
  if l.at < now then l.at, l.part = now, 0 end
  l.at, l.part = l.at + math.floor(l.period / l.count), l.part + l.period % l.count
  if l.part >= l.count then l.at, l.part = l.at + 1, l.part - l.count end
  keep(l, now)
end

function bucket.mark(l, now)
  local parts = ahead(l, now)
  if parts == 0 then return math.max(0, l.count - l.burst), 0, 0 end
  local part = parts % l.period
  if part == 0 then part = l.period end
  local used = math.max(0, l.count - math.max(0, l.burst - math.ceil(parts / l.period)))
  return used, math.ceil(part / l.count), math.ceil(parts / l.count)
end

-- How many calls run, by gateway; those of a gateway whose lease is over run no more.

local alive

local function is_alive(gateway)
  if gateway == ARGV[2] then return true end
  if not alive then
    alive = {}
    local time = redis.call('TIME')
    for _, each in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], time[1] * 1000000 + time[2], '+inf')) do
      alive[each] = true
    end
  end
  return alive[gateway]
end

function at_once.wait(l)
  local held = redis.call('HGETALL', l.key)
  l.running = 0
  for place = 1, #held, 2 do
    if is_alive(held[place]) then
      l.running = l.running + math.max(0, tonumber(held[place + 1]))
    else
      redis.call('HDEL', l.key, held[place])
    end
  end
  return l.running >= l.count and AT_ONCE_WAIT or 0
end

function at_once.take(l)
  l.running = l.running + 1
  redis.call('HINCRBY', l.key, ARGV[2], 1)
  redis.call('PEXPIRE', l.key, AT_ONCE_KEPT)
end

function at_once.mark(l) return l.running, AT_ONCE_WAIT, AT_ONCE_WAIT end

local function now_of(told)
  if told ~= '' then return tonumber(told) end
  local time = redis.call('TIME')
  return time[1] * 1000000 + time[2]
end

-- What an owner pays for one identity. KEYS, all of one owner: a hash of what each identity costs, a sorted set of when they
-- lapse, and the sum with its limit. They lapse with the last of the identities.
--
-- ARGV: the identity, what it costs or -1 (as before; the least if it is new), when it lapses in ms since 1970, or 0 and the
-- lifetime from now on, the limit or 0 (as before), what an identity costs at the least.
-- Returns the sum and the limit; nil if the identity is new and there is no room for it.

local COSTS, LAPSING, SUM = KEYS[1], KEYS[2], KEYS[3]
local PURGE, ROUNDS = 100, 20

local function digits(number)
    return string.format('%.0f', number)
end

-- A key of a wrong type is an error here, before anything has been changed.
redis.call('HLEN', COSTS)
redis.call('ZCARD', LAPSING)
local sum = tonumber(redis.call('HGET', SUM, 'bytes') or '0') or 0
-- A sum that so many identities can not have, because another program has written it, would refuse all others for ever: it is
-- counted anew, with what an identity can cost.
local MOST = 2 ^ 32
if not (sum >= 0 and sum <= redis.call('HLEN', COSTS) * MOST) then
    sum = 0
    for _, identity in ipairs(redis.call('HKEYS', COSTS)) do
        local cost = tonumber(redis.call('HGET', COSTS, identity))
        if cost and cost >= 0 and cost <= MOST then
            sum = sum + cost
        else
            redis.call('HDEL', COSTS, identity)
        end
    end
end
local limit = tonumber(ARGV[5]) > 0 and tonumber(ARGV[5]) or tonumber(redis.call('HGET', SUM, 'limit') or '0') or 0
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local lapses = tonumber(ARGV[3]) > 0 and tonumber(ARGV[3]) or now + tonumber(ARGV[4])
local least = tonumber(ARGV[6])

-- Lets go of some that have lapsed, and says whether there were any.
local function purge()
    local lapsed = redis.call('ZRANGE', LAPSING, '-inf', digits(now), 'BYSCORE', 'LIMIT', 0, PURGE)
    for _, identity in ipairs(lapsed) do
        sum = sum - (tonumber(redis.call('HGET', COSTS, identity) or '0') or 0)
        redis.call('HDEL', COSTS, identity)
        redis.call('ZREM', LAPSING, identity)
    end
    return #lapsed > 0
end

local before, cost
local rounds = 0
repeat
    local more = purge()
    rounds = rounds + 1
    before = tonumber(redis.call('HGET', COSTS, ARGV[1]) or '')
    cost = tonumber(ARGV[2]) >= 0 and tonumber(ARGV[2]) + least or before or least
until sum - (before or 0) + cost <= limit or rounds == ROUNDS or not more
local full = not before and tonumber(ARGV[2]) < 0 and sum + cost > limit
if not full then
    sum = sum - (before or 0) + cost
    redis.call('HSET', COSTS, ARGV[1], digits(cost))
    redis.call('ZADD', LAPSING, digits(lapses), ARGV[1])
end
redis.call('HSET', SUM, 'bytes', digits(math.max(0, sum)), 'limit', digits(limit))
local last = redis.call('ZRANGE', LAPSING, -1, -1, 'WITHSCORES')
for _, key in ipairs(KEYS) do
    redis.call('PEXPIREAT', key, digits(math.max(tonumber(last[2] or '0'), now + 1)))
end
if full then
    return false
end
return { sum, limit }

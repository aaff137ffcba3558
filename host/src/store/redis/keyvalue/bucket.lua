-- The beginning of every script on keys and values. KEYS are the hash of values, the keys in order, those that lapse, and the
-- size, all of one bucket. What another program has put into the hash by itself can be read, and is not listed.

local VALUES, ORDER, LAPSING, SIZE = KEYS[1], KEYS[2], KEYS[3], KEYS[4]

-- What a key costs beside its own bytes and those of its value; how many lapsed ones are removed at a time, and how many
-- times in one call: nobody waits for all that others have left.
local ENTRY_COST, PURGE, PURGES = 64, 100, 20

-- A key of a wrong type is an error here, before anything has been changed.
redis.call('HLEN', VALUES)
redis.call('ZCARD', ORDER)
redis.call('ZCARD', LAPSING)
redis.call('GET', SIZE)

local function digits(number)
    return string.format('%.0f', number)
end

local time = redis.call('TIME')
local NOW = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

local function has_lapsed(key)
    local at = redis.call('ZSCORE', LAPSING, key)
    return at and tonumber(at) <= NOW
end

-- The value, or false.
local function find(key)
    local value = redis.call('HGET', VALUES, key)
    return value and not has_lapsed(key) and value
end

-- What a key counts for, 0 if it is not there.
local function cost(key)
    if redis.call('HEXISTS', VALUES, key) == 0 then
        return 0
    end
    return #key + redis.call('HSTRLEN', VALUES, key) + ENTRY_COST
end

-- What the bucket counts for. A sum that so many keys and values can not have, because another program has written it, would
-- make the bucket full for ever: it is counted anew.
local MOST = ENTRY_COST + 512 + 256 * 1024
local function size()
    local sum = tonumber(redis.call('GET', SIZE) or '0')
    if sum and sum >= 0 and sum <= redis.call('HLEN', VALUES) * MOST then
        return sum
    end
    sum = 0
    for _, key in ipairs(redis.call('HKEYS', VALUES)) do
        sum = sum + cost(key)
    end
    redis.call('SET', SIZE, digits(sum))
    return sum
end

local function resize(by)
    redis.call('SET', SIZE, digits(math.max(0, size() + by)))
end

-- Removes a key, and says whether it was there and had not lapsed.
local function remove(key)
    local held, lapsed = cost(key), has_lapsed(key)
    if held == 0 then
        return false
    end
    resize(-held)
    redis.call('HDEL', VALUES, key)
    redis.call('ZREM', ORDER, key)
    redis.call('ZREM', LAPSING, key)
    return not lapsed
end

-- Removes some of what has lapsed, and says whether there was something.
local function purge()
    local lapsed = redis.call('ZRANGE', LAPSING, '-inf', digits(NOW), 'BYSCORE', 'LIMIT', 0, PURGE)
    for _, key in ipairs(lapsed) do
        remove(key)
        redis.call('ZREM', LAPSING, key)
    end
    return #lapsed > 0
end

-- Whether there is room for a value of so many bytes, in the place of what is there.
local function has_room(key, length, limit)
    for _ = 1, PURGES do
        local others = size() - cost(key)
        if others + #key + length + ENTRY_COST <= tonumber(limit) then
            return true
        elseif not purge() then
            break
        end
    end
    return false
end

-- Sets a value for which there is room. A lifetime of 0 has no end.
local function put(key, value, lifetime)
    remove(key)
    local before = size()
    redis.call('HSET', VALUES, key, value)
    redis.call('ZADD', ORDER, 0, key)
    if tonumber(lifetime) > 0 then
        redis.call('ZADD', LAPSING, digits(NOW + tonumber(lifetime)), key)
    end
    redis.call('SET', SIZE, digits(before + #key + #value + ENTRY_COST))
    purge()
end


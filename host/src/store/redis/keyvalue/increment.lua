-- ARGV: the key, what is added, the lifetime of a key that is not there, the limit of the bucket. Returns the sum as text, or
-- what is wrong.

local key = ARGV[1]
local value = find(key)
if not value then
    if not has_room(key, #ARGV[2], ARGV[4]) then
        return 'full'
    end
    put(key, ARGV[2], ARGV[3])
    return ARGV[2]
end
-- Redis itself adds with 64 bits; its own spelling is the only one, as in the file.
if not string.match(value, '^%-?[1-9]%d*$') and value ~= '0' or #value > 20 then
    return 'no number'
end
local added = redis.pcall('HINCRBY', VALUES, key, ARGV[2])
if type(added) == 'table' and added.err then
    return string.find(added.err, 'overflow', 1, true) and 'too large' or 'no number'
end
local sum = redis.call('HGET', VALUES, key)
if #sum > #value then
    redis.call('HSET', VALUES, key, value)
    if not has_room(key, #sum, ARGV[4]) then
        return 'full'
    end
    redis.call('HSET', VALUES, key, sum)
end
resize(#sum - #value)
return sum

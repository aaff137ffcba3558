-- ARGV: from where to where in the order, as ZRANGE has it, a number, and how many keys may be looked at. Returns a list of so
-- many keys at most, and behind which key to go on (empty: that was the end).

for _ = 1, PURGES do
    if not purge() then
        break
    end
end
local from, to, most, look = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local found, looked, last = {}, 0, ''
repeat
    local wanted = most - #found
    local keys = redis.call('ZRANGE', ORDER, from, to, 'BYLEX', 'LIMIT', 0, wanted)
    for _, key in ipairs(keys) do
        last = key
        if not has_lapsed(key) then
            table.insert(found, key)
        end
    end
    if #keys < wanted or wanted == 0 then
        return { found, '' }
    end
    looked = looked + #keys
    from = '(' .. last
until #found == most or looked >= look
return { found, last }

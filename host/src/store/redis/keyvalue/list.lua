-- ARGV: from where to where in the order, as ZRANGE has it, and a number. Returns so many keys at most, in a list of their
-- own: two of them must not be taken for an error.

local from, to, most = ARGV[1], ARGV[2], tonumber(ARGV[3])
local found = {}
while #found < most do
    local keys = redis.call('ZRANGE', ORDER, from, to, 'BYLEX', 'LIMIT', 0, most)
    for _, key in ipairs(keys) do
        if #found < most and not has_lapsed(key) then
            table.insert(found, key)
        end
    end
    if #keys < most then
        break
    end
    from = '(' .. keys[#keys]
end
return {found}

-- ARGV: the connection. Returns nothing.

local it, wrong = load()
if not it then
    return none(wrong)
end
local _, at = find(it, ARGV[1])
if at then
    table.remove(it.holders, at)
    redis.call('HDEL', HASH, 'holder:' .. ARGV[1])
    trim(it)
    save(it)
end
return false

-- ARGV: the connection, the lifetime in ms, how many holders there may be, 1 if nobody is to be pushed out, the owner.
-- Returns how many notifications wait for it, and who was pushed out; nil if somebody would have to be.

local it, wrong = load()
if wrong then
    return none(wrong)
end
if not it then
    -- Nothing may be left of one that lapsed.
    redis.call('DEL', MAILBOX, ASIDE)
    it = blank()
end
local regain = ARGV[4] == '1'
if regain and it.lifetime > 0 then
    if find(it, ARGV[1]) then
        return { 0, {} }
    elseif #it.holders >= math.max(1, it.most) then
        return false
    end
else
    it.lifetime = tonumber(ARGV[2])
    it.most = tonumber(ARGV[3]) > 1 and tonumber(ARGV[3]) or 0
end

local newest = it.holders[#it.holders]
local holder, at = find(it, ARGV[1])
if holder then
    table.remove(it.holders, at)
else
    holder = { name = ARGV[1], cursor = it.handled }
end
holder.order = newest and newest.order + 1 or 1
table.insert(it.holders, holder)
save_holder(holder)

local pushed_out = {}
while #it.holders > math.max(1, it.most) do
    local oldest = table.remove(it.holders, 1)
    redis.call('HDEL', HASH, 'holder:' .. oldest.name)
    table.insert(pushed_out, oldest.name)
end

if it.owner == '' then
    redis.call('HSET', HASH, 'owner', ARGV[5])
end
-- The account has forgotten it if it had lapsed there; with the next notification it is told again.
it.charged, it.known = 0, 0
trim(it)
save(it)
renew(it)
return { redis.call('ZCOUNT', MAILBOX, '(' .. digits(holder.cursor), '+inf'), pushed_out }

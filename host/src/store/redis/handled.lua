-- ARGV: the connection, the last notification it has handled.
-- Returns whether it is a holder, and what the owner's account is to be told.

local it, wrong = load()
if not it then
    return wrong and none(wrong) or { 0, { '', 0, 0 } }
end
-- What is still to come has not been handled.
local upto = math.min(tonumber(ARGV[2]), it.last)
local holder = find(it, ARGV[1])
if holder then
    holder.cursor = math.max(holder.cursor, upto)
    save_holder(holder)
end
it.handled = math.max(it.handled, upto)
trim(it)
renew(it)
local told = account(it)
save(it)
return { holder and 1 or 0, told }

-- ARGV: the event's name, its arguments, what it costs, how many entries and bytes a mailbox has at most, and owners that
-- have spent what they have.
-- Returns the id of the notification (0: the owner is one of these), how many others were dropped for it, the holders, and
-- what its account is to be told; or nil.

local it, wrong = load()
if not it then
    return none(wrong)
end
for at = 6, #ARGV do
    if ARGV[at] == it.owner then
        return { 0, 0, {}, { it.owner, 0, 0 } }
    end
end
local time = redis.call('TIME')
local id = math.max(it.last + 1, tonumber(time[1]) * 1000000 + tonumber(time[2]))

local dropped = 0
while it.entries > 0 and (it.entries + 1 > tonumber(ARGV[4]) or it.bytes + tonumber(ARGV[3]) > tonumber(ARGV[5])) do
    remove(it, events('-inf', '+inf', 1)[1])
    dropped = dropped + 1
end
redis.call('ZADD', MAILBOX, digits(id), pack(digits(id), ARGV[1], ARGV[2]))
it.last = id
it.entries = it.entries + 1
it.bytes = it.bytes + tonumber(ARGV[3])
local told = account(it)
save(it)

lapse_with_it(MAILBOX)

local holders = {}
for at, holder in ipairs(it.holders) do
    holders[at] = holder.name
end
return { id, dropped, holders, told }

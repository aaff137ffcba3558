-- ARGV: the connection, how many notifications it takes at most, and how many bytes.
-- Returns a list of id, name, arguments; or nil, if it is no holder.

local it, wrong = load()
local holder = it and find(it, ARGV[1])
if not holder then
    return none(wrong)
end
local taken, bytes = {}, 0
local most = tonumber(ARGV[2])
local cursor = '(' .. digits(holder.cursor)
while #taken < most and bytes < tonumber(ARGV[3]) do
    local some = events(cursor, '+inf', math.min(16, most - #taken))
    for _, event in ipairs(some) do
        -- One that is newer than the newest could never be acknowledged, and would come again and again.
        if not event.id or tonumber(event.id) > it.last then
            return none('an entry of the mailbox')
        end
        if bytes >= tonumber(ARGV[3]) then
            break
        end
        table.insert(taken, { event.id, event.name, event.args })
        bytes = bytes + cost(event)
        cursor = '(' .. event.id
    end
    if #some == 0 then
        break
    end
end
return taken

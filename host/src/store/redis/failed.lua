-- ARGV: the notification, how often handlers may fail on it, how many of those set aside are kept.
-- Returns how often they have; nil if it is not in the mailbox.

local it, wrong = load()
if not it then
    return none(wrong)
end
local event = events(ARGV[1], ARGV[1], 1)[1]
if not event or event.id ~= ARGV[1] then
    return false
end
local attempts = (it.failed[ARGV[1]] or 0) + 1
if attempts < tonumber(ARGV[2]) then
    redis.call('HSET', HASH, 'failed:' .. ARGV[1], attempts)
    return attempts
end
it.aside = it.aside + cost(event)
local surplus = redis.call('RPUSH', ASIDE, event.member) - tonumber(ARGV[3])
for _ = 1, surplus do
    it.aside = math.max(0, it.aside - cost(unpack_member(redis.call('LPOP', ASIDE))))
end
lapse_with_it(ASIDE)
remove(it, event)
save(it)
return attempts

-- The beginning of every script: an identity read from its hash and written back. KEYS are the hash, the mailbox and what
-- was set aside, all of one identity.
--
-- A script first reads and checks everything and only then writes, so that it can not stop half-way. Numbers are exact up
-- to 2^53, which microseconds reach in the year 2255; they are spelled by `digits`, because Lua would write 1.8e+15.

local HASH, MAILBOX, ASIDE = KEYS[1], KEYS[2], KEYS[3]

local function digits(number)
    return string.format('%.0f', number)
end

-- What an event counts for, as the host counts.
local function cost(event)
    return #event.name + #event.args + 64
end

local function blank()
    return {
        lifetime = 0, most = 0, handled = 0, last = 0, entries = 0, bytes = 0, aside = 0, charged = 0, known = 0,
        owner = '',
        holders = {}, failed = {},
    }
end

-- Ids are about the time in microseconds. One that is a day ahead, of which nobody but another program can have written, would
-- hide everything that is notified until then.
local TIME = redis.call('TIME')
local LATEST = (tonumber(TIME[1]) + 24 * 60 * 60) * 1000000

-- The identity, nil if there is none, or nil and what is wrong with it.
local function load()
    local fields = redis.call('HGETALL', HASH)
    if #fields == 0 then
        return nil
    end
    local it = blank()
    for at = 1, #fields, 2 do
        local field, value = fields[at], fields[at + 1]
        local kind, name = string.match(field, '^(%l+):(.*)$')
        if kind == 'holder' then
            local order, cursor = string.match(value, '^(%d+) (%d+)$')
            if not order or tonumber(cursor) > LATEST then
                return nil, 'the holder ' .. name
            end
            table.insert(it.holders, { name = name, order = tonumber(order), cursor = tonumber(cursor) })
        elseif kind == 'failed' then
            it.failed[name] = tonumber(value) or 0
        elseif field == 'owner' then
            it.owner = value
        elseif type(it[field]) == 'number' then
            if not string.match(value, '^%d+$') or tonumber(value) > 2 ^ 53 then
                return nil, 'the field ' .. field
            end
            if (field == 'last' or field == 'handled') and tonumber(value) > LATEST then
                return nil, 'the field ' .. field
            end
            it[field] = tonumber(value)
        end
    end
    if it.lifetime == 0 then
        return nil, 'no lifetime'
    end
    table.sort(it.holders, function(one, other) return one.order < other.order end)
    it.entries = redis.call('ZCARD', MAILBOX)
    redis.call('LLEN', ASIDE)
    if it.entries == 0 then
        it.bytes = 0
    end
    return it
end

-- The answer if there is no identity: nil, or what is wrong with it.
local function none(wrong)
    return wrong and { 'corrupt', wrong } or false
end

local function find(it, connection)
    for at, holder in ipairs(it.holders) do
        if holder.name == connection then
            return holder, at
        end
    end
end

-- A notification as a member of the mailbox: its id, the length of the event's name, the name, the arguments. Its score is
-- the id. (A stream would do, but takes 4 KiB for a single entry.)
local function pack(id, name, args)
    return id .. ' ' .. #name .. ' ' .. name .. args
end

-- The way back. Without an id it is none of ours.
local function unpack_member(member)
    local id, length, at = string.match(member, '^(%d+) (%d+) ()')
    if not id then
        return { name = '', args = member, member = member }
    end
    local args_at = at + tonumber(length)
    return { id = id, name = string.sub(member, at, args_at - 1), args = string.sub(member, args_at), member = member }
end

-- Up to `most` notifications of the mailbox, the oldest first; from and to as in ZRANGE.
local function events(from, to, most)
    local found = redis.call('ZRANGE', MAILBOX, from, to, 'BYSCORE', 'LIMIT', 0, most)
    for at, member in ipairs(found) do
        found[at] = unpack_member(member)
    end
    return found
end

-- Takes a notification out of the mailbox.
local function remove(it, event)
    it.entries = it.entries - redis.call('ZREM', MAILBOX, event.member)
    it.bytes = math.max(0, it.bytes - cost(event))
    if event.id and it.failed[event.id] then
        redis.call('HDEL', HASH, 'failed:' .. event.id)
    end
end

-- Removes what every holder has handled or, without holders, what has been handled at all.
local function trim(it)
    local upto = it.handled
    for at, holder in ipairs(it.holders) do
        upto = at == 1 and holder.cursor or math.min(upto, holder.cursor)
    end
    if it.entries > 0 then
        for _, event in ipairs(events('-inf', digits(upto), -1)) do
            remove(it, event)
        end
    end
end

-- A number that is 0 is not there, so that an idle identity is small; `most` is 0 for one holder. (Redis removes an empty mailbox by itself.)
local function save(it)
    for _, field in ipairs({ 'lifetime', 'most', 'handled', 'last', 'bytes', 'aside', 'charged', 'known' }) do
        if it[field] > 0 then
            redis.call('HSET', HASH, field, digits(it[field]))
        else
            redis.call('HDEL', HASH, field)
        end
    end
end

-- What the account of the owner is to be told, before it is saved: the owner, what is in the mailbox and set aside, and when
-- it lapses. No owner: since it was told last, that has not changed by a step, or by half of the lifetime.
local STEP = 4096
local function account(it)
    local steps = math.floor((it.bytes + it.aside) / STEP)
    local lapses = math.max(0, redis.call('PEXPIRETIME', HASH))
    if it.owner == '' or steps == it.charged and lapses <= it.known + it.lifetime / 2 then
        return { '', 0, 0 }
    end
    it.charged, it.known = steps, lapses
    return { it.owner, it.bytes + it.aside, lapses }
end

local function save_holder(holder)
    redis.call('HSET', HASH, 'holder:' .. holder.name, digits(holder.order) .. ' ' .. digits(holder.cursor))
end

-- From now on it has all of its lifetime again.
local function renew(it)
    for _, key in ipairs({ HASH, MAILBOX, ASIDE }) do
        redis.call('PEXPIRE', key, digits(it.lifetime))
    end
end

-- The key lapses when the identity does.
local function lapse_with_it(key)
    local at = redis.call('PEXPIRETIME', HASH)
    if at > 0 then
        redis.call('PEXPIREAT', key, digits(at))
    end
end


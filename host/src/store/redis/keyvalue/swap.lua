-- ARGV: the key, whether a value is expected (1 or 0) and which, whether there is a new one and which, its lifetime, the limit
-- of the bucket. Returns 1 if it was changed, 0 if something else was there, 2 if the bucket is full.

local key = ARGV[1]
local found = find(key)
if found ~= (ARGV[2] == '1' and ARGV[3]) then
    return 0
end
if ARGV[4] == '0' then
    remove(key)
    return 1
end
if not has_room(key, #ARGV[5], ARGV[7]) then
    return 2
end
put(key, ARGV[5], ARGV[6])
return 1

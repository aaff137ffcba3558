-- ARGV: the key. Returns its value, or nil.

local value = find(ARGV[1])
-- Another program's: no guest is to be given what it could not have set.
if value and #value > 256 * 1024 then
    return { 'corrupt', 'a value of ' .. #value .. ' bytes' }
end
return value

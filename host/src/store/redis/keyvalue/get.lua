-- ARGV: the key. Returns its value, or nil.

return find(ARGV[1])

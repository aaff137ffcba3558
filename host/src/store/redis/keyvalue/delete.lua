-- ARGV: the key. Returns whether it was there.

return remove(ARGV[1]) and 1 or 0

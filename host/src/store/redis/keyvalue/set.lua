-- ARGV: the key, the value, its lifetime, the limit of the bucket. Returns 1, or 2 if the bucket is full.

if not has_room(ARGV[1], #ARGV[2], ARGV[4]) then
    return 2
end
put(ARGV[1], ARGV[2], ARGV[3])
return 1

-- Returns whether there is such an identity.

return redis.call('EXISTS', HASH)

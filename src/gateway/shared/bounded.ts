/**
 * Lua for keys that are kept within limits, because what expires by itself still may be more than Redis has memory for.
 * An index has them by the time they expire, and a hash their sizes; what is over goes, the next to expire first.
 */

/** Defines `bound(index, key, bytes, ttlMs, maxKeys, maxBytes)`, to be called once `key` is written. */
export const luaBound = `
local function bound(index, key, bytes, ttlMs, maxKeys, maxBytes)
  local sizes = index .. ':sizes'
  local time = redis.call('TIME')
  local now = time[1] * 1000 + time[2] / 1000
  local function leave(one)
    redis.call('HINCRBY', sizes, '', -(tonumber(redis.call('HGET', sizes, one)) or 0))
    redis.call('HDEL', sizes, one)
    redis.call('ZREM', index, one)
  end
  for _, one in ipairs(redis.call('ZRANGEBYSCORE', index, '-inf', now, 'LIMIT', 0, 100)) do leave(one) end
  if redis.call('ZSCORE', index, key) then leave(key) end
  redis.call('ZADD', index, now + ttlMs, key)
  redis.call('HSET', sizes, key, bytes)
  redis.call('HINCRBY', sizes, '', bytes)
  for _ = 1, 100 do
    local oldest = redis.call('ZRANGE', index, 0, 0)[1]
    local isOver = redis.call('ZCARD', index) > maxKeys or tonumber(redis.call('HGET', sizes, '')) > maxBytes
    if not isOver or oldest == key then break end
    redis.call('DEL', oldest)
    leave(oldest)
  end
  for _, one in ipairs({index, sizes}) do redis.call('PEXPIRE', one, math.max(ttlMs, redis.call('PTTL', one))) end
end
`;

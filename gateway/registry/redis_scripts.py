"""What Redis runs for us in one go, so that nothing can come between a proof and what rests on it.

what:       Lua: one script to read with proof, one to change what is still as it was
takes→gives: keys and arguments → lists that `redis_proof` and `redis_change` understand
knows not:  connections
fails by:   the words "replica", "reign", "few", "turn", "moved", "lost" in place of an answer
standard:   I-13; Redis 6.2 and later: INFO may be asked for within a script, ROLE may not

A *reign* is the replication id of a primary. It changes with every restart and every failover, and with nothing else.
"""

from __future__ import annotations

# `good` is -1 where the server does not count replicas (min-replicas-to-write is 0).
_HEAD = """
local info = redis.call('INFO', 'replication')
local reign = string.match(info, 'master_replid:(%x+)')
local good = tonumber(string.match(info, 'min_slaves_good_slaves:(%d+)') or -1)
local primary = string.find(info, 'role:master', 1, true)
"""

# KEYS 1 identity, 2 nodes, 3 map; ARGV 1 the own journal. Gives reign, replicas, identity, node, not vetted, map there.
_PROOF = (
    _HEAD
    + """
if not primary then return {'replica'} end
local id = redis.call('HMGET', KEYS[1], 'registry', 'organisation', 'key_check', 'layer', 'floor', 'last', 'people',
  'loading')
local held, node, vetted, waiting = redis.call('HGETALL', KEYS[2]), false, {}, {}
for n = 1, #held, 2 do
  if string.byte(held[n]) == 43 then
    vetted[string.sub(held[n], 2)] = held[n + 1]
  else
    vetted[held[n]] = vetted[held[n]] or ''
    if held[n] == ARGV[1] then node = held[n + 1] end
  end
end
for name, value in pairs(vetted) do
  if value ~= reign and string.byte(value) ~= 33 then waiting[#waiting + 1] = name end
end
local proof = {reign, good, id, node, waiting, vetted[ARGV[1]] or '', redis.call('EXISTS', KEYS[3])}
"""
)

# KEYS 4… the bucket of each pseudonym; ARGV 2 the pseudonyms, 32 octets each.
READ = (
    _PROOF
    + """
local found, all, map = {}, ARGV[2], nil
for n = 4, #KEYS do
  local at = (n - 4) * 32
  local value = redis.call('HGET', KEYS[n], string.sub(all, at + 3, at + 32))
  if not value then
    local a, b, c = string.byte(all, at + 1, at + 3)
    map = map or #KEYS > 20 and (redis.call('GET', KEYS[3]) or '')
    local filled
    if map then
      local octet = string.byte(map, a * 128 + math.floor(b / 2) + 1) or 0
      filled = bit.band(octet, bit.rshift(128, b % 2 * 4 + math.floor(c / 64)))
    else
      filled = redis.call('GETBIT', KEYS[3], a * 1024 + b * 4 + math.floor(c / 64))
    end
    if filled ~= 0 and redis.call('EXISTS', KEYS[n]) == 0 then return {'lost'} end
  end
  found[n - 3] = value
end
return {proof, found}
"""
)

# KEYS 4… hashes; ARGV 2… a field of each, or nothing for the whole of it.
LOOK = (
    _PROOF
    + """
local found = {}
for n = 4, #KEYS do
  local field = ARGV[n - 2]
  found[n - 3] = field == '' and redis.call('HGETALL', KEYS[n]) or redis.call('HGET', KEYS[n], field)
end
return {proof, found}
"""
)

# KEYS 1 map, 2 turn, 3 people's counter (identity), 4… what the operations name by number.
# `put` takes several fields of one hash (at most some thousand: they pass over Lua's stack).
# ARGV 1 reign, 2 replicas needed, 3 whose turn, 4 number of expectations, then (key, field, value)…, then operations.
CHANGE = (
    _HEAD
    + """
if not primary then return 'replica' end
if reign ~= ARGV[1] then return 'reign' end
if good >= 0 and good < tonumber(ARGV[2]) then return 'few' end
local people = tonumber(redis.call('HGET', KEYS[3], 'people') or 0)
if people > 0 and redis.call('EXISTS', KEYS[1]) == 0 then return 'lost' end
local turn = redis.call('GET', KEYS[2])
if turn and turn ~= ARGV[3] then return 'turn' end
local i, last = 5, 5 + 3 * tonumber(ARGV[4])
while i < last do
  if (redis.call('HGET', KEYS[tonumber(ARGV[i])], ARGV[i + 1]) or '') ~= ARGV[i + 2] then return 'moved' end
  i = i + 3
end
while i < #ARGV do
  local op, key = ARGV[i], KEYS[tonumber(ARGV[i + 1])]
  if op == 'put' then
    local last_value = i + 2 + 2 * tonumber(ARGV[i + 2])
    redis.call('HSET', key, unpack(ARGV, i + 3, last_value)); i = last_value + 1
  elseif op == 'row' then
    if redis.call('HSET', key, ARGV[i + 2], ARGV[i + 3]) == 1 then
      redis.call('HINCRBY', KEYS[3], 'people', 1)
      redis.call('SETBIT', KEYS[1], ARGV[i + 4], 1)
    end
    i = i + 5
  elseif op == 'unrow' then
    if redis.call('HDEL', key, ARGV[i + 2]) == 1 then
      redis.call('HINCRBY', KEYS[3], 'people', -1)
      if redis.call('EXISTS', key) == 0 then redis.call('SETBIT', KEYS[1], ARGV[i + 3], 0) end
    end
    i = i + 4
  elseif op == 'drop' then
    redis.call('HDEL', key, ARGV[i + 2]); i = i + 3
  elseif op == 'add' then
    local held = redis.call('HGET', key, ARGV[i + 2])
    redis.call('HSET', key, ARGV[i + 2], held and (held .. ',' .. ARGV[i + 3]) or ARGV[i + 3]); i = i + 4
  elseif op == 'unadd' then
    local held = ',' .. (redis.call('HGET', key, ARGV[i + 2]) or '') .. ','
    local from, to = string.find(held, ',' .. ARGV[i + 3] .. ',', 1, true)
    if from then held = string.sub(held, 1, from) .. string.sub(held, to + 1) end
    if #held < 3 then
      redis.call('HDEL', key, ARGV[i + 2])
    else
      redis.call('HSET', key, ARGV[i + 2], string.sub(held, 2, -2))
    end
    i = i + 4
  elseif op == 'name' then
    redis.call('HSET', key, ARGV[i + 2], (redis.call('HGET', key, ARGV[i + 2]) or '') .. ARGV[i + 3]); i = i + 4
  elseif op == 'unname' then
    local held, kept = redis.call('HGET', key, ARGV[i + 2]) or '', ''
    for at = 1, #held, 32 do
      local name = string.sub(held, at, at + 31)
      if name ~= ARGV[i + 3] then kept = kept .. name end
    end
    if kept == '' then redis.call('HDEL', key, ARGV[i + 2]) else redis.call('HSET', key, ARGV[i + 2], kept) end
    i = i + 4
  elseif op == 'count' then
    if redis.call('HINCRBY', key, ARGV[i + 2], ARGV[i + 3]) <= 0 then redis.call('HDEL', key, ARGV[i + 2]) end
    i = i + 4
  elseif op == 'oldest' then
    redis.call('ZADD', key, 'LT', ARGV[i + 2], ARGV[i + 3]); i = i + 4
  elseif op == 'rank' then
    redis.call('ZADD', key, ARGV[i + 2], ARGV[i + 3]); i = i + 4
  elseif op == 'unrank' then
    redis.call('ZREM', key, ARGV[i + 2]); i = i + 3
  else
    return redis.error_reply('no such operation: ' .. op)
  end
end
return 'done'
"""
)

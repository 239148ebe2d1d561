import { randomBytes } from 'node:crypto';
import { createClient } from 'redis';
import { serve } from './serve.js';

// Free keys in a list, leases in a sorted set by their ends; each operation is one script.

const LEASE_MS = 60_000;

const ACQUIRE = `
  local lapsed = redis.call('ZRANGEBYSCORE', 'ends', '-inf', ARGV[1], 'LIMIT', 0, 1)
  local key = lapsed[1] or redis.call('RPOP', 'free')
  if not key then return false end
  redis.call('ZADD', 'ends', ARGV[2], key)
  local token = redis.call('HINCRBY', key, 'token', 1)
  redis.call('HSET', key, 'lease', ARGV[3])
  return { key, token }`;

const KEEP_ALIVE = `
  local ends = redis.call('ZSCORE', 'ends', KEYS[1])
  if not ends or tonumber(ends) <= tonumber(ARGV[1]) then return false end
  if redis.call('HGET', KEYS[1], 'lease') ~= ARGV[3] then return false end
  redis.call('ZADD', 'ends', ARGV[2], KEYS[1])
  return 1`;

const RELEASE = `
  local ends = redis.call('ZSCORE', 'ends', KEYS[1])
  if not ends or tonumber(ends) <= tonumber(ARGV[1]) then return false end
  if redis.call('HGET', KEYS[1], 'lease') ~= ARGV[3] then return false end
  redis.call('ZREM', 'ends', KEYS[1])
  redis.call('HDEL', KEYS[1], 'lease')
  redis.call('LPUSH', 'free', KEYS[1])
  return 1`;

const redis = await createClient({ socket: { path: process.env.REDIS_SOCKET } }).connect();
await redis.flushAll();
const count = Number(process.env.KEYS);
for (let made = 0; made < count; made += 1000) {
  const ids = Array.from(
    { length: Math.min(1000, count - made) },
    () => `key_${randomBytes(16).toString('base64url')}`,
  );
  await redis.lPush('free', ids);
}
const [acquire, keepAlive, release] = await Promise.all(
  [ACQUIRE, KEEP_ALIVE, RELEASE].map((script) => redis.scriptLoad(script)),
);

/** The lease id carries the key. */
async function holding(script, leaseId) {
  const [keyId, lease] = leaseId.split('.');
  const now = Date.now();
  const done = await redis.evalSha(script, {
    keys: [keyId],
    arguments: [String(now), String(now + LEASE_MS), lease],
  });
  return done === null ? null : { leaseId, keyId, expiresAt: new Date(now + LEASE_MS).toISOString() };
}

serve({
  async acquire() {
    const now = Date.now();
    const lease = randomBytes(16).toString('base64url');
    const found = await redis.evalSha(acquire, { arguments: [String(now), String(now + LEASE_MS), lease] });
    if (found === null) return null;
    const [keyId, fencingToken] = found;
    return {
      leaseId: `${keyId}.${lease}`,
      keyId,
      fencingToken,
      expiresAt: new Date(now + LEASE_MS).toISOString(),
    };
  },
  keepAlive: (leaseId) => holding(keepAlive, leaseId),
  release: (leaseId) => holding(release, leaseId),
});

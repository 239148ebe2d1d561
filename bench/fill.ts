import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Key } from '../shared/domain/key.ts';
import type { Pool } from '../shared/domain/pool.ts';
import type { Store } from '../shared/domain/store.ts';

// `node fill.ts ROOT SCENE`: makes the database of a scene with the store of the checkout in ROOT, which may be an older one.

/** What stands in the database before the callers come. */
export interface Scene {
  readonly keys: number;
  /** How many of the keys are leased, of 1. */
  readonly leased?: number;
  /** How many have lapsed leases that no sweep has recorded. */
  readonly lapsed?: number;
  /** How many are past their hard expiration and not removed. */
  readonly expired?: number;
  /** How many further pools there are, of ten keys each. */
  readonly pools?: number;
}

const DAY = 86_400_000;
/** As many as one request may make, and so many requests at once. */
const BATCH = 1000;
const AT_ONCE = 10;

const [, , root = '', text = '{}'] = process.argv;
const scene = JSON.parse(text) as Scene;
const from = (path: string) => import(pathToFileURL(join(root, path)).href);
const { readRuntimeConfig } = await from('shared/runtime/config.ts');
const { openStore } = await from('shared/runtime/open-store.ts');
const { DEFAULT_POLICY, poolReference } = await from('shared/domain/pool.ts');
const store: Store = await openStore(readRuntimeConfig());
const now = Date.now();
// Keys that live for a day: none of those that are used disappears while others are measured.
const policy = { ...DEFAULT_POLICY, keyTtlSeconds: DAY / 1000, leaseSeconds: 3600 };
await store.prepare(now, policy);

async function fill(name: string, { keys, leased = 0, lapsed = 0, expired = 0 }: Scene): Promise<void> {
  const pool = poolReference((await store.pools.get(name)) as Pool);
  const create = async (made: number): Promise<void> => {
    const batch = Array.from({ length: Math.min(BATCH, keys - made) }, (_, i): Key => {
      const share = (((made + i) * 7919) % keys) / keys; // Spread over the pool.
      const isLapsed = share < lapsed;
      const isLeased = isLapsed || share < leased + lapsed;
      const slot = Math.random();
      const end = isLapsed ? now - 60_000 + Math.round(slot * 30_000) : now + 3_600_000;
      const key = {
        keyId: `key_${randomBytes(16).toString('base64url')}`,
        pool,
        slot,
        fencingToken: now,
        createdAt: now - DAY,
        expiresAt: share >= 1 - expired ? now - 1000 : now + DAY,
      };
      if (!isLeased) return { ...key, state: 'free', freeAt: now - 100_000 };
      const id = `2s8.${randomBytes(16).toString('base64url')}`;
      const lease = { id, clientId: 'somebody', acquiredAt: end - 60_000, expiresAt: end };
      return { ...key, state: 'leased', freeAt: end + 1000, lease };
    });
    await store.keys.create(batch, null);
  };
  const starts = Array.from({ length: Math.ceil(keys / BATCH) }, (_, i) => i * BATCH);
  for (let done = 0; done < starts.length; done += AT_ONCE)
    await Promise.all(starts.slice(done, done + AT_ONCE).map(create));
}

await fill('default', scene);
for (let number = 0; number < (scene.pools ?? 0); number++) {
  await store.pools.create(`pool-${number}`, policy, now);
  await fill(`pool-${number}`, { keys: 10 });
}
await store.close();

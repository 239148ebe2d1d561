import { expect, it } from 'vitest';
import { describeWithMongoDb } from '../support/mongodb.ts';
import {
  addKey,
  addLeasedKey,
  KEY_LIFE_MS,
  LEASE_END,
  makeClaim,
  makeExtension,
  makeKey,
  makeRelease,
  NOW,
  POOL,
  SECOND,
  stored,
} from './contract/scene.ts';
import { useStore } from './contract/store-fixture.ts';
import { makeMongoStore } from './mongo-fixture.ts';

/** Conditions that hold by themselves as long as the domain calls the store as it does. */
describeWithMongoDb('the MongoDB store, whatever it is asked,', (database) => {
  const test = useStore(makeMongoStore(database));

  it('leases no key that is not free yet', async () => {
    const found = await addKey(test.store, { freeAt: NOW + 1 });
    expect(await test.store.keys.reclaim(found, makeClaim(NOW))).toBeNull();
    expect(await test.store.keys.reclaim(found, makeClaim(NOW + 1))).not.toBeNull();
  });

  it('leases, frees and deletes no deleted key', async () => {
    const key = await addKey(test.store);
    await test.store.keys.delete(key, NOW + SECOND);
    const deleted = await stored(test.store, key);
    expect(deleted).toEqual({ ...key, state: 'deleted', freeAt: NOW + SECOND, expiresAt: NOW + SECOND });
    const cooled = { ...deleted, freeAt: NOW };
    await database.db
      .collection<{ _id: string }>('keys')
      .updateOne({ _id: key.keyId }, { $set: { freeAt: new Date(NOW) } });
    expect(await test.store.keys.reclaim(cooled, makeClaim(NOW))).toBeNull();
    expect(await test.store.keys.unblock(cooled, NOW)).toBeNull();
    expect(await test.store.keys.delete(cooled, NOW)).toBe(false);
  });

  it('keeps alive and releases no lease on a key past its hard expiration', async () => {
    const key = await addLeasedKey(test.store, { expiresAt: NOW + SECOND }, { keyExpiresAt: NOW + SECOND });
    expect(await test.store.keys.extend(makeExtension(key, NOW + SECOND))).toBeNull();
    expect(await test.store.keys.release(makeRelease(key, NOW + SECOND))).toBe(false);
    expect(await test.store.keys.release(makeRelease(key, NOW + SECOND - 1))).toBe(true);
  });

  it('lists no key past its hard expiration in any state', async () => {
    const expiresAt = NOW + SECOND;
    await addKey(test.store, { expiresAt });
    await addKey(test.store, { expiresAt, freeAt: NOW + KEY_LIFE_MS });
    await addLeasedKey(test.store, { expiresAt }, { keyExpiresAt: expiresAt });
    for (const state of ['free', 'cooling', 'leased'] as const) {
      const page = { pool: POOL, state, limit: 10 };
      expect(await test.store.keys.list({ ...page, now: expiresAt - 1 })).toHaveLength(1);
      expect(await test.store.keys.list({ ...page, now: expiresAt })).toEqual([]);
    }
  });

  it('counts cooling keys of both kinds up to the limit, however many live leases there are', async () => {
    const lapsing = { id: 'lapsing', clientId: 'client', acquiredAt: NOW, expiresAt: LEASE_END - 2 };
    for (let live = 0; live < 3; live += 1) await addLeasedKey(test.store);
    await addLeasedKey(test.store, {}, { lease: lapsing, freeAt: LEASE_END });
    const count = (limit: number) => test.store.keys.count({ pool: POOL, now: LEASE_END - 1, limit });
    expect(await count(2)).toMatchObject({ leased: 2, cooling: 1 });

    const cooling = [makeKey({ freeAt: LEASE_END }), makeKey({ freeAt: LEASE_END })];
    await test.store.keys.create(cooling, { maxKeys: null, now: NOW });
    expect(await count(2)).toMatchObject({ cooling: 2 });
    expect(await count(10)).toEqual({ free: 0, leased: 3, cooling: 3, nextFreeAt: LEASE_END });
  });

  it('clears no deleted pool', async () => {
    const { pools } = test.store;
    const policy = { leaseSeconds: 10, keyTtlSeconds: null, maxKeys: null, paused: false };
    const { pool } = await pools.put('build', policy, NOW);
    await pools.clear(pool, { generation: NOW + 1, now: NOW, deleted: true });
    const again = { generation: NOW + 2, now: NOW, deleted: false };
    expect(await pools.clear({ ...pool, generation: NOW + 1 }, again)).toBe(false);
  });
});

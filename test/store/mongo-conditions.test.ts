import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Commands, HintedIndexes } from '../../shared/store/mongo/commands.ts';
import { describeWithMongoDb } from '../support/mongodb.ts';
import {
  addKey,
  addLeasedKey,
  expectKey,
  FREE_AGAIN,
  GENERATION,
  KEY_LIFE_MS,
  LEASE_END,
  lapsesOf,
  leaseOf,
  listAll,
  makeClaim,
  makeExtension,
  makeKey,
  makeRelease,
  NAME,
  NOW,
  POLICY,
  POOL,
  SECOND,
  stored,
} from './contract/scene.ts';
import { useStore } from './contract/store-fixture.ts';
import { beforeFirst, makeMongoStore, openWiredStore, type WiredStore } from './mongo-fixture.ts';

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
    expect(await test.store.keys.release(makeRelease(key, NOW + SECOND))).toBeNull();
    expect(await test.store.keys.release(makeRelease(key, NOW + SECOND - 1))).toEqual({ acquiredAt: NOW });
  });

  it('lists no key past its hard expiration in any state', async () => {
    const expiresAt = NOW + SECOND;
    await addKey(test.store, { expiresAt });
    await addKey(test.store, { expiresAt, freeAt: NOW + KEY_LIFE_MS });
    await addLeasedKey(test.store, { expiresAt }, { keyExpiresAt: expiresAt });
    for (const state of ['free', 'cooling', 'leased'] as const) {
      const page = { pool: POOL, state };
      expect(await listAll(test.store, { ...page, now: expiresAt - 1 })).toHaveLength(1);
      expect(await listAll(test.store, { ...page, now: expiresAt })).toEqual([]);
    }
  });

  it('lists a pool of more keys than one page walks past, without a gap where a walk ends', async () => {
    const keys = Array.from({ length: 2001 }, (_, i) => makeKey({ slot: i / 2001 }));
    await test.store.keys.create(keys, null);
    const page = (after?: number) =>
      test.store.keys.list({ pool: POOL, now: NOW, limit: 5000, search: 'key_', after });
    const first = await page();
    expect(first.next).toBe(keys[1999]?.slot);
    expect([...first.keys, ...(await page(first.next)).keys]).toEqual(keys);
  });

  it('remembers how the lease before ended when a key is freed or deleted that has none', async () => {
    for (const end of ['unblock', 'delete'] as const) {
      const leased = await addLeasedKey(test.store);
      await test.store.keys.recordLapse({ keyId: leased.keyId, leaseId: leaseOf(leased).id, now: LEASE_END });
      await test.store.keys[end](await stored(test.store, leased), FREE_AGAIN - 1);
      expect(await stored(test.store, leased)).toMatchObject({
        freeAt: FREE_AGAIN - 1,
        lastLease: { id: leaseOf(leased).id, reason: 'lapsed' },
      });
    }
  });

  it('counts cooling keys of both kinds up to the limit, however many live leases there are', async () => {
    const lapsing = { id: 'lapsing', clientId: 'client', acquiredAt: NOW, expiresAt: LEASE_END - 2 };
    for (let live = 0; live < 3; live += 1) await addLeasedKey(test.store);
    await addLeasedKey(test.store, {}, { lease: lapsing, freeAt: LEASE_END });
    const count = (limit: number) => test.store.keys.count({ pool: POOL, now: LEASE_END - 1, limit });
    expect(await count(2)).toMatchObject({ leased: 2, cooling: 1 });

    const cooling = [makeKey({ freeAt: LEASE_END + 1 }), makeKey({ freeAt: LEASE_END + 1 })];
    await test.store.keys.create(cooling, null);
    expect(await count(2)).toMatchObject({ cooling: 2 });
    expect(await count(10)).toEqual({ free: 0, leased: 3, cooling: 3, paused: 0, nextFreeAt: LEASE_END });
  });

  it('finds a claimable key behind as many that carry the request hash as there can be', async () => {
    const mine = await addLeasedKey(test.store, {}, { requestHash: 'hash' });
    const other = await addLeasedKey(test.store, {}, { freeAt: FREE_AGAIN + 1 });
    const found = await test.store.keys.listClaimable({
      pool: POOL,
      now: FREE_AGAIN + 1,
      requestHash: 'hash',
      limit: 1,
    });
    expect(mine.freeAt).toBeLessThan(other.freeAt);
    expect(found.keys).toEqual([other]);
  });

  it('forgets what a request asked for with the request', async () => {
    const key = await addLeasedKey(test.store, {}, { requestHash: 'hash', requestBody: 'body' });
    const again = expectKey(await test.store.keys.reclaim(key, makeClaim(FREE_AGAIN)));
    expect([again.requestHash, again.requestBody]).toEqual([undefined, undefined]);
    await test.store.keys.delete(
      await addLeasedKey(test.store, {}, { requestHash: 'hash', requestBody: 'body' }),
      FREE_AGAIN,
    );
    const documents = database.db.collection('keys');
    expect(await documents.countDocuments({ requestBody: { $exists: true } })).toBe(0);
  });

  it('clears no deleted pool', async () => {
    const { pools } = test.store;
    const pool = await pools.create('build', POLICY, NOW);
    if (pool === null) throw new Error('Expected a pool');
    await pools.clear(pool, { generation: NOW + 1, now: NOW, deleted: true });
    const again = { generation: NOW + 2, now: NOW, deleted: false };
    expect(await pools.clear({ ...pool, generation: NOW + 1 }, again)).toBe(false);
  });

  it('sends no filter with a condition that is undefined, which every document would meet', async () => {
    const settings = { maxTimeMS: 1000, indexes: new HintedIndexes() };
    const commands = new Commands(database.db.collection<{ _id: string; pool?: string }>('keys'), settings);
    await addKey(test.store);
    for (const filter of [{ pool: undefined }, { $or: [{ _id: 'a' }, { pool: { $ne: undefined } }] }]) {
      await expect(commands.deleteMany(filter as object, {})).rejects.toThrow(TypeError);
    }
    expect(await commands.deleteMany({ pool: POOL, _id: { $ne: 'a' } }, {})).toBe(1);
  });
});

describeWithMongoDb('between two commands of a verb of the MongoDB store', (database) => {
  const test = useStore(makeMongoStore(database));
  let slow: WiredStore;

  beforeEach(async () => {
    slow = await openWiredStore(database);
  });

  afterEach(() => slow.close());

  it('a lapse is recorded, and the claimable key is found all the same', async () => {
    const key = await addLeasedKey(test.store);
    slow.wire.intercept = beforeFirst('find', async () => {
      // The read after this one.
      slow.wire.intercept = beforeFirst('find', () =>
        test.store.keys.recordLapses({ lapses: lapsesOf(key), now: FREE_AGAIN }),
      );
    });
    const { keys } = await slow.store.keys.listClaimable({ pool: POOL, now: FREE_AGAIN, limit: 16 });
    expect(keys).toEqual([await stored(test.store, key)]);
    expect(keys).toMatchObject([{ state: 'free' }]);
  });

  describe('removeExpired', () => {
    it('a key is refreshed, and stays', async () => {
      const key = await addKey(test.store);
      const gone = await addKey(test.store);
      slow.wire.intercept = beforeFirst('delete', () =>
        test.store.keys.refresh({ keyId: key.keyId, now: NOW, keyExpiresAt: key.expiresAt + 1 }),
      );
      expect(await slow.store.keys.removeExpired({ now: key.expiresAt, limit: 10 })).toBe(1);
      expect(await stored(test.store, key)).toMatchObject({ expiresAt: key.expiresAt + 1 });
      expect(await test.store.keys.getStored(gone.keyId)).toBeNull();
    });
  });

  describe('removeGenerations', () => {
    it('a key is leased by a process that does not know yet, and keeps its seat', async () => {
      const key = await addKey(test.store);
      slow.wire.intercept = beforeFirst('delete', () => test.store.keys.reclaim(key, makeClaim(NOW)));
      const query = { name: NAME, before: GENERATION + 1, now: NOW, limit: 10 };
      expect(await slow.store.keys.removeGenerations(query)).toEqual({ removed: 0, complete: false });
      expect(await stored(test.store, key)).toMatchObject({ state: 'leased' });
    });
  });

  describe('applyLifetime', () => {
    const target = NOW + KEY_LIFE_MS;
    const apply = (limit = 10) =>
      slow.store.keys.applyLifetime({
        pool: POOL,
        now: NOW,
        expiresAt: target,
        latest: target + SECOND,
        limit,
      });

    it('takes keys of both kinds up to the limit together', async () => {
      for (let i = 0; i < 2; i++) {
        await addKey(test.store, { expiresAt: NOW + SECOND });
        await addKey(test.store, { expiresAt: target + KEY_LIFE_MS });
      }
      expect(await apply(3)).toEqual({ moved: 3, complete: false });
      expect(await apply(3)).toEqual({ moved: 1, complete: true });
    });

    it('a key that expires too early is refreshed, and keeps the later expiration', async () => {
      const key = await addKey(test.store, { expiresAt: NOW + SECOND });
      slow.wire.intercept = beforeFirst('update', () =>
        test.store.keys.refresh({ keyId: key.keyId, now: NOW, keyExpiresAt: target + 1 }),
      );
      await apply();
      expect((await stored(test.store, key)).expiresAt).toBe(target + 1);
    });

    it('a key that expires too early is deleted, and stays so', async () => {
      const key = await addKey(test.store, { expiresAt: NOW + SECOND });
      slow.wire.intercept = beforeFirst('update', () => test.store.keys.delete(key, NOW + SECOND));
      await apply();
      expect(await stored(test.store, key)).toMatchObject({ state: 'deleted', expiresAt: NOW + SECOND });
    });

    it('a key that expires too late is leased, and does not expire before it is free', async () => {
      const key = await addKey(test.store, { expiresAt: target + KEY_LIFE_MS });
      slow.wire.intercept = beforeFirst('update', () =>
        test.store.keys.reclaim(key, makeClaim(NOW, { freeAt: target + 1 })),
      );
      expect(await apply()).toEqual({ moved: 1, complete: false });
      expect(await stored(test.store, key)).toMatchObject({ freeAt: target + 1, expiresAt: key.expiresAt });
    });

    it('a key that expires too late gets a still later expiration, by a newer policy, and keeps it', async () => {
      const key = await addKey(test.store, { expiresAt: target + KEY_LIFE_MS });
      const keyExpiresAt = key.expiresAt + KEY_LIFE_MS;
      slow.wire.intercept = beforeFirst('update', () =>
        test.store.keys.refresh({ keyId: key.keyId, now: NOW, keyExpiresAt }),
      );
      expect(await apply()).toEqual({ moved: 1, complete: false });
      expect((await stored(test.store, key)).expiresAt).toBe(keyExpiresAt);
    });
  });
});

import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { DatabaseUnavailableError } from '../../shared/domain/errors.ts';
import type { Store } from '../../shared/domain/store.ts';
import { createKeys } from '../../shared/store/mongo/keys/create-keys.ts';
import type { KeyDocument } from '../../shared/store/mongo/keys/key-document.ts';
import { describeWithMongoDb } from '../support/mongodb.ts';
import { useStore } from './contract/store-fixture.ts';
import { makeKey, makeMongoStore, NOW } from './mongo-fixture.ts';

const POOL = 'licences/000000000000001';
const MINUTE_MS = 60_000;

describeWithMongoDb('creating keys in MongoDB', (database) => {
  const fixture = useStore(makeMongoStore(database));
  const documents = database.db.collection<KeyDocument>('keys');

  /** A key that another creation has inserted and not yet made visible, as a process that died leaves it. */
  async function insertPending(expiresAt: number): Promise<string> {
    const keyId = `key_${randomUUID()}`;
    await documents.insertOne({
      _id: keyId,
      pool: POOL,
      state: `pending:${randomUUID()}`,
      slot: 0.5,
      fencingToken: NOW,
      createdAt: new Date(NOW),
      freeAt: new Date(NOW),
      expiresAt: new Date(expiresAt),
      expiresAtOnceFree: new Date(NOW + 5 * MINUTE_MS),
    });
    return keyId;
  }

  function create(store: Store, count: number, maxKeys: number | null): Promise<boolean> {
    const keys = Array.from({ length: count }, () => makeKey(POOL, { slot: Math.random() }));
    return store.keys.create(keys, { maxKeys, now: NOW });
  }

  it('stores what it was given, and nothing of how it was made', async () => {
    const key = makeKey(POOL, { value: 'secret', expiresAt: NOW + 12_345 });
    expect(await fixture.store.keys.create([key], { maxKeys: 1, now: NOW })).toBe(true);
    expect(await fixture.store.keys.recall(key.keyId)).toEqual(key);
    expect(await documents.findOne({ _id: key.keyId })).not.toHaveProperty('expiresAtOnceFree');
  });

  it('does nothing for no keys', async () => {
    expect(await fixture.store.keys.create([], { maxKeys: 0, now: NOW })).toBe(true);
  });

  it('leaves nothing behind when a key of the batch is refused', async () => {
    const taken = makeKey(POOL);
    const fresh = makeKey(POOL);
    await fixture.store.keys.create([taken], { maxKeys: null, now: NOW });
    for (const maxKeys of [null, 10]) {
      await expect(fixture.store.keys.create([fresh, taken], { maxKeys, now: NOW })).rejects.toThrow(
        'E11000',
      );
    }
    expect(await documents.distinct('_id')).toEqual([taken.keyId]);
    expect(await fixture.store.keys.recall(taken.keyId)).toEqual(taken);
  });

  it('leaves nothing behind when the pool is full', async () => {
    expect(await create(fixture.store, 2, 2)).toBe(true);
    expect(await create(fixture.store, 1, 2)).toBe(false);
    expect(await documents.countDocuments()).toBe(2);
  });

  it('never exceeds the limit when many create at once', async () => {
    const stores = [fixture.store, await fixture.another(), await fixture.another()];
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, index) => create(stores[index % 3] as Store, 3, 10)),
    );
    const created = answers.filter(Boolean).length;
    expect(created).toBeGreaterThan(0);
    expect(created).toBeLessThanOrEqual(3);
    expect(await documents.countDocuments()).toBe(created * 3);
    expect(await documents.countDocuments({ state: 'free' })).toBe(created * 3);
  });

  describe('with keys of another creation pending', () => {
    it('counts them, also past their expiration: a creation that stalled may go on late', async () => {
      await insertPending(NOW - MINUTE_MS);
      expect(await create(fixture.store, 1, 1)).toBe(false);
      expect(await create(fixture.store, 1, 2)).toBe(true);
    });

    it('shows and leases none of them', async () => {
      const { keys } = fixture.store;
      const keyId = await insertPending(NOW + MINUTE_MS);
      const now = NOW;
      expect(await keys.find(keyId, now)).toBeNull();
      expect(await keys.recall(keyId)).toBeNull();
      expect(await keys.list({ pool: POOL, now, limit: 10 })).toEqual([]);
      expect(await keys.findClaimable({ pool: POOL, now, limit: 10 })).toEqual([]);
      expect(await keys.count({ pool: POOL, now, limit: 10 })).toEqual({ free: 0, leased: 0, cooling: 0 });
      expect(await keys.refresh({ keyId, now, keyExpiresAt: now + 2 * MINUTE_MS })).toBeNull();
      const lease = { id: 'l', clientId: 'c', acquiredAt: now, expiresAt: now + 1 };
      const claim = { pool: POOL, now, lease, freeAt: now + 1, keyExpiresAt: now + MINUTE_MS };
      expect(await keys.claim(claim, 0)).toBeNull();
    });

    it('removes those that were abandoned', async () => {
      await insertPending(NOW);
      expect(await fixture.store.keys.removeExpired({ now: NOW, limit: 10 })).toBe(1);
    });
  });

  describe('stalled', () => {
    /** The collection, where something else happens before or after this command is carried out. */
    function interrupted(
      when: 'before' | 'after',
      command: 'insertMany' | 'deleteMany' | 'updateMany',
      happen: () => Promise<unknown>,
    ) {
      return new Proxy(documents, {
        get(target, property) {
          const member: unknown = Reflect.get(target, property);
          if (typeof member !== 'function') return member;
          if (property !== command) return member.bind(target);
          return async (...parameters: unknown[]) => {
            if (when === 'before') await happen();
            const result: unknown = await member.apply(target, parameters);
            if (when === 'after') await happen();
            return result;
          };
        },
      });
    }

    it('between its count and its last write, keeps its seats from others', async () => {
      const keys = [makeKey(POOL), makeKey(POOL)];
      const others: boolean[] = [];
      const collection = interrupted('before', 'updateMany', async () => {
        others.push(await create(fixture.store, 1, 3), await create(fixture.store, 1, 3));
      });
      expect(await createKeys(collection, keys, { maxKeys: 3, now: NOW })).toBe(true);
      expect(others).toEqual([true, false]);
      expect(await documents.countDocuments({ state: 'free' })).toBe(3);
    });

    it('for so long that a sweep removed some of its keys, does not say that all are there', async () => {
      const keys = [makeKey(POOL), makeKey(POOL)];
      const collection = interrupted('before', 'updateMany', () =>
        fixture.store.keys.removeExpired({ now: NOW + MINUTE_MS, limit: 1 }),
      );
      await expect(createKeys(collection, keys, { maxKeys: null, now: NOW })).rejects.toThrow(
        DatabaseUnavailableError,
      );
    });

    it('does not trust a count that is older than its keys', async () => {
      const keys = [makeKey(POOL), makeKey(POOL)];
      const collection = interrupted('after', 'insertMany', () => documents.deleteOne({}));
      await expect(createKeys(collection, keys, { maxKeys: 5, now: NOW })).rejects.toThrow(
        DatabaseUnavailableError,
      );
      expect(await documents.countDocuments()).toBe(0);
    });

    it('tries again when another that was in its way has given up', async () => {
      let pending: string | undefined = await insertPending(NOW + MINUTE_MS);
      const collection = interrupted('before', 'deleteMany', async () => {
        if (pending !== undefined) await documents.deleteOne({ _id: pending });
        pending = undefined;
      });
      expect(await createKeys(collection, [makeKey(POOL)], { maxKeys: 1, now: NOW })).toBe(true);
      expect(await documents.distinct('state')).toEqual(['free']);
    });
  });
});

import { describe, expect, it } from 'vitest';
import type { Key } from '../../../shared/domain/key.ts';
import {
  addKey,
  addKeys,
  addLeasedKey,
  FREE_AGAIN,
  KEY_LIFE_MS,
  LEASE_END,
  makeClaim,
  makeExtension,
  makeKey,
  makeRelease,
  NOW,
  OTHER_POOL,
  POOL,
  SECOND,
  stored,
} from './scene.ts';
import { type MakeStore, useStore } from './store-fixture.ts';

const AT_NOW = { pool: POOL, now: NOW, limit: 100 };

export function describeReads(makeStore: MakeStore): void {
  describe('find', () => {
    const test = useStore(makeStore);

    it('answers the key until its hard expiration, with no sweep', async () => {
      const key = await addKey(test.store, { expiresAt: NOW + SECOND });
      expect(await test.store.keys.find(key.keyId, NOW + SECOND - 1)).toStrictEqual(key);
      expect(await test.store.keys.find(key.keyId, NOW + SECOND)).toBeNull();
      expect(await test.store.keys.find('unknown', NOW)).toBeNull();
    });
  });

  describe('recall', () => {
    const test = useStore(makeStore);

    it('answers what is stored, also of expired and deleted keys', async () => {
      const expired = await addKey(test.store, { expiresAt: NOW });
      const deleted = await addKey(test.store);
      await test.store.keys.delete(deleted, NOW);
      expect(await test.store.keys.recall(expired.keyId)).toStrictEqual(expired);
      expect(await test.store.keys.recall(deleted.keyId)).toMatchObject({ state: 'deleted' });
      expect(await test.store.keys.recall('unknown')).toBeNull();
    });
  });

  describe('list', () => {
    const test = useStore(makeStore);
    const idsOf = (keys: readonly Key[]) => keys.map((key) => key.keyId);

    it('answers the keys of a pool by slot, leased ones among free ones', async () => {
      const high = await addKey(test.store, { slot: 0.9 });
      const middle = await addLeasedKey(test.store, { slot: 0.5 });
      const low = await addKey(test.store, { slot: 0 });
      await addKey(test.store, { pool: OTHER_POOL });
      expect(await test.store.keys.list(AT_NOW)).toStrictEqual([low, middle, high]);
    });

    it('leaves out expired and deleted keys, with no sweep', async () => {
      await addKey(test.store, { expiresAt: NOW });
      await addLeasedKey(test.store, {}, { freeAt: LEASE_END, keyExpiresAt: LEASE_END });
      await test.store.keys.delete(await addKey(test.store), NOW + KEY_LIFE_MS);
      expect(await test.store.keys.list({ ...AT_NOW, now: NOW + KEY_LIFE_MS })).toStrictEqual([]);
    });

    it('filters by the state at the time, not by the state as stored', async () => {
      const free = await addKey(test.store, { slot: 0.1 });
      const leased = await addLeasedKey(test.store, { slot: 0.2 });
      const unblocked = await addLeasedKey(test.store, { slot: 0.3 });
      await test.store.keys.unblock(unblocked, unblocked.freeAt);
      const idsAt = async (now: number) => ({
        free: idsOf(await test.store.keys.list({ ...AT_NOW, now, state: 'free' })),
        leased: idsOf(await test.store.keys.list({ ...AT_NOW, now, state: 'leased' })),
        cooling: idsOf(await test.store.keys.list({ ...AT_NOW, now, state: 'cooling' })),
      });
      const [a, b, c] = [free.keyId, leased.keyId, unblocked.keyId];
      expect(await idsAt(NOW)).toStrictEqual({ free: [a], leased: [b], cooling: [c] });
      expect(await idsAt(LEASE_END - 1)).toStrictEqual({ free: [a], leased: [b], cooling: [c] });
      expect(await idsAt(LEASE_END)).toStrictEqual({ free: [a], leased: [], cooling: [b, c] });
      expect(await idsAt(FREE_AGAIN - 1)).toStrictEqual({ free: [a], leased: [], cooling: [b, c] });
      expect(await idsAt(FREE_AGAIN)).toStrictEqual({ free: [a, b, c], leased: [], cooling: [] });
    });

    it('searches by the start of the key id or of the holder', async () => {
      const byId = await addKey(test.store, { keyId: 'host_a', slot: 0.1 });
      const { lease } = makeClaim(NOW);
      const byHolder = await addLeasedKey(
        test.store,
        { slot: 0.2 },
        { lease: { ...lease, holder: 'host_b' } },
      );
      await addKey(test.store, { keyId: 'ghost_a', slot: 0.3 });
      await addKey(test.store, { keyId: 'hostXa', slot: 0.4 });
      await addKey(test.store, { keyId: 'HOST_a', slot: 0.5 });
      expect(idsOf(await test.store.keys.list({ ...AT_NOW, search: 'host_' }))).toStrictEqual([
        byId.keyId,
        byHolder.keyId,
      ]);
      const leased = await test.store.keys.list({ ...AT_NOW, search: 'host_', state: 'leased' });
      expect(idsOf(leased)).toStrictEqual([byHolder.keyId]);
      expect(await test.store.keys.list({ ...AT_NOW, search: 'host_', after: 0.2 })).toStrictEqual([]);
    });

    it.each(['%', '_', '.', '.*', '^key', '\\', '[k]', '(', "'", '"', '*'])(
      'takes %s in a search for the character itself',
      async (search) => {
        const { lease } = makeClaim(NOW);
        const holder = `${search} holder`;
        const key = await addLeasedKey(test.store, {}, { lease: { ...lease, holder } });
        await addKey(test.store);
        expect(await test.store.keys.list({ ...AT_NOW, search })).toStrictEqual([key]);
      },
    );

    it('leads through 2,500 keys without gap or repeat', async () => {
      const all = Array.from({ length: 2500 }, () => makeKey({ slot: Math.random() }));
      for (let i = 0; i < all.length; i += 500) await addKeys(test.store, all.slice(i, i + 500));
      for (let i = 0; i < 100; i++) await test.store.keys.claim(makeClaim(NOW), i / 200);
      const seen: string[] = [];
      for (let after: number | undefined; ; ) {
        const page = await test.store.keys.list({
          ...AT_NOW,
          limit: 99,
          ...(after !== undefined && { after }),
        });
        seen.push(...idsOf(page));
        if (page.length < 99) break;
        after = page.at(-1)?.slot;
      }
      expect(seen).toStrictEqual(idsOf(all.toSorted((a, b) => a.slot - b.slot)));
    });
  });

  describe('listLeased', () => {
    const test = useStore(makeStore);
    const query = { clientId: 'client', now: NOW, limit: 100 };

    it('answers the keys of any pool on which the client holds a live lease, by id', async () => {
      const b = await addLeasedKey(test.store, { keyId: 'b' });
      const a = await addLeasedKey(test.store, { keyId: 'a', pool: OTHER_POOL });
      await addLeasedKey(test.store, {}, { clientId: 'another client' });
      await addKey(test.store);
      expect(await test.store.keys.listLeased(query)).toStrictEqual([a, b]);
    });

    it('leaves out leases that are over, with no sweep', async () => {
      await addLeasedKey(test.store);
      const extended = await addLeasedKey(test.store);
      await test.store.keys.extend(makeExtension(extended, LEASE_END - 1));
      const released = await addLeasedKey(test.store);
      await test.store.keys.release(makeRelease(released, NOW));
      const unblocked = await addLeasedKey(test.store);
      await test.store.keys.unblock(unblocked, unblocked.freeAt);
      const found = await test.store.keys.listLeased({ ...query, now: LEASE_END });
      expect(found).toStrictEqual([await stored(test.store, extended)]);
    });

    it('leads through all pages without gap or repeat', async () => {
      const ids: string[] = [];
      for (let i = 0; i < 25; i++) ids.push((await addLeasedKey(test.store)).keyId);
      const seen: string[] = [];
      for (let after: string | undefined; ; ) {
        const page = await test.store.keys.listLeased({
          ...query,
          limit: 7,
          ...(after !== undefined && { after }),
        });
        seen.push(...page.map((key) => key.keyId));
        if (page.length < 7) break;
        after = page.at(-1)?.keyId;
      }
      expect(seen).toStrictEqual(ids.toSorted());
    });
  });

  describe('count', () => {
    const test = useStore(makeStore);

    it('counts by the state at the time, and tells when the next key is free', async () => {
      await addKey(test.store);
      await addLeasedKey(test.store);
      const unblocked = await addLeasedKey(test.store);
      await test.store.keys.unblock(unblocked, FREE_AGAIN - 10);
      await addKey(test.store, { pool: OTHER_POOL });
      const countAt = (now: number) => test.store.keys.count({ ...AT_NOW, now });
      const nextFreeAt = FREE_AGAIN - 10;
      expect(await countAt(NOW)).toStrictEqual({ free: 1, leased: 1, cooling: 1, nextFreeAt });
      expect(await countAt(LEASE_END)).toStrictEqual({ free: 1, leased: 0, cooling: 2, nextFreeAt });
      const afterFirst = { free: 2, leased: 0, cooling: 1, nextFreeAt: FREE_AGAIN };
      expect(await countAt(nextFreeAt)).toStrictEqual(afterFirst);
      expect(await countAt(FREE_AGAIN)).toStrictEqual({ free: 3, leased: 0, cooling: 0 });
    });

    it('counts no expired and no deleted key, with no sweep', async () => {
      await addKey(test.store, { expiresAt: NOW });
      await addLeasedKey(test.store, { expiresAt: NOW + 1 }, { freeAt: LEASE_END, keyExpiresAt: LEASE_END });
      await test.store.keys.delete(await addKey(test.store), NOW + KEY_LIFE_MS);
      const nothing = { free: 0, leased: 0, cooling: 0 };
      expect(await test.store.keys.count({ ...AT_NOW, now: LEASE_END })).toStrictEqual(nothing);
    });

    it('stops at the limit, for each state', async () => {
      await addKeys(test.store, [makeKey(), makeKey(), makeKey()]);
      for (let i = 0; i < 6; i++) {
        const key = await addLeasedKey(test.store);
        if (i < 3) await test.store.keys.unblock(key, key.freeAt);
      }
      const counts = (limit: number) => test.store.keys.count({ ...AT_NOW, limit });
      expect(await counts(2)).toMatchObject({ free: 2, leased: 2, cooling: 2 });
      expect(await counts(3)).toMatchObject({ free: 3, leased: 3, cooling: 3 });
      expect(await counts(4)).toMatchObject({ free: 3, leased: 3, cooling: 3 });
    });

    it('counts lapsed keys that still cool among more leased ones than the limit', async () => {
      for (let i = 0; i < 8; i++) {
        const key = await addLeasedKey(test.store);
        if (i >= 2) await test.store.keys.extend(makeExtension(key, LEASE_END - 1));
      }
      const counts = await test.store.keys.count({ pool: POOL, now: LEASE_END, limit: 3 });
      expect(counts).toStrictEqual({ free: 0, leased: 3, cooling: 2, nextFreeAt: FREE_AGAIN });
    });
  });
}

import { describe, expect, it } from 'vitest';
import { type Key, keyStateAt, type Labels } from '../../../shared/domain/key.ts';
import type { KeyPage, LeasePlace } from '../../../shared/domain/store.ts';
import {
  ALL_SLOTS,
  addKey,
  addKeys,
  addLeasedKey,
  expectKey,
  FREE_AGAIN,
  KEY_LIFE_MS,
  LEASE_END,
  lapsesOf,
  leaseOf,
  listAll,
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
  describe('get', () => {
    const test = useStore(makeStore);

    it('returns the key until its hard expiration, with no sweep', async () => {
      const key = await addKey(test.store, { expiresAt: NOW + SECOND });
      expect(await test.store.keys.get(key.keyId, NOW + SECOND - 1)).toEqual(key);
      expect(await test.store.keys.get(key.keyId, NOW + SECOND)).toBeNull();
      expect(await test.store.keys.get('unknown', NOW)).toBeNull();
    });
  });

  describe('getStored', () => {
    const test = useStore(makeStore);

    it('returns what is stored, also of expired and deleted keys', async () => {
      const expired = await addKey(test.store, { expiresAt: NOW });
      const deleted = await addKey(test.store);
      await test.store.keys.delete(deleted, NOW);
      expect(await test.store.keys.getStored(expired.keyId)).toEqual(expired);
      expect(await test.store.keys.getStored(deleted.keyId)).toMatchObject({ state: 'deleted' });
      expect(await test.store.keys.getStored('unknown')).toBeNull();
    });
  });

  describe('list', () => {
    const test = useStore(makeStore);
    const idsOf = (keys: readonly Key[]) => keys.map((key) => key.keyId);
    const list = (page: Partial<KeyPage> = {}) => listAll(test.store, { pool: POOL, now: NOW, ...page });

    it('returns the keys of a pool by slot, leased ones among free ones', async () => {
      const high = await addKey(test.store, { slot: 0.9 });
      const middle = await addLeasedKey(test.store, { slot: 0.5 });
      const low = await addKey(test.store, { slot: 0 });
      await addKey(test.store, { pool: OTHER_POOL });
      expect(await test.store.keys.list(AT_NOW)).toEqual({ keys: [low, middle, high] });
    });

    it('leaves out expired and deleted keys, with no sweep', async () => {
      await addKey(test.store, { expiresAt: NOW });
      await addLeasedKey(test.store, {}, { freeAt: LEASE_END, keyExpiresAt: LEASE_END });
      await test.store.keys.delete(await addKey(test.store), NOW + KEY_LIFE_MS);
      expect(await test.store.keys.list({ ...AT_NOW, now: NOW + KEY_LIFE_MS })).toEqual({ keys: [] });
    });

    it('filters by the state at the time, not by the state as stored', async () => {
      const free = await addKey(test.store, { slot: 0.1 });
      const leased = await addLeasedKey(test.store, { slot: 0.2 });
      const unblocked = await addLeasedKey(test.store, { slot: 0.3 });
      await test.store.keys.unblock(unblocked, unblocked.freeAt);
      const idsAt = async (now: number) => ({
        free: idsOf(await list({ now, state: 'free' })),
        leased: idsOf(await list({ now, state: 'leased' })),
        cooling: idsOf(await list({ now, state: 'cooling' })),
      });
      const [a, b, c] = [free.keyId, leased.keyId, unblocked.keyId];
      expect(await idsAt(NOW)).toEqual({ free: [a], leased: [b], cooling: [c] });
      expect(await idsAt(LEASE_END - 1)).toEqual({ free: [a], leased: [b], cooling: [c] });
      expect(await idsAt(LEASE_END)).toEqual({ free: [a], leased: [], cooling: [b, c] });
      expect(await idsAt(FREE_AGAIN - 1)).toEqual({ free: [a], leased: [], cooling: [b, c] });
      expect(await idsAt(FREE_AGAIN)).toEqual({ free: [a, b, c], leased: [], cooling: [] });
    });

    it('searches for what the key id or the holder contains, in upper or lower case', async () => {
      const byId = await addKey(test.store, { keyId: 'host_a', slot: 0.1 });
      const { lease } = makeClaim(NOW);
      const byHolder = await addLeasedKey(
        test.store,
        { slot: 0.2 },
        { lease: { ...lease, holder: 'host_b' } },
      );
      const within = await addKey(test.store, { keyId: 'ghost_a', slot: 0.3 });
      await addKey(test.store, { keyId: 'hostXa', slot: 0.4 });
      const upper = await addKey(test.store, { keyId: 'HOST_a', slot: 0.5 });
      for (const search of ['host_', 'HOST_', 'Ost_']) {
        expect(await list({ search })).toEqual([byId, byHolder, within, upper]);
      }
      expect(await list({ search: 'host_', state: 'free' })).toEqual([byId, within, upper]);
      expect(await list({ search: 'host_', state: 'leased' })).toEqual([byHolder]);
      expect(await list({ search: 'host_', state: 'cooling' })).toEqual([]);
      expect(await list({ search: 'host_', after: 0.1 })).toEqual([byHolder, within, upper]);
    });

    it('searches for a label by its name, its text, or both, one label at a time', async () => {
      const label = (labels: Labels, slot: number) => addKey(test.store, { labels, slot });
      const one = await label({ Region: 'EU-West', account: 'ops' }, 0.1);
      const other = await label({ region: 'us', note: 'region=eu is full' }, 0.2);
      await label({}, 0.3);
      const leased = await addLeasedKey(test.store, { slot: 0.4, labels: { region: 'eu-north' } });
      for (const [search, expected] of [
        ['region=eu', [one, other, leased]],
        ['REGION=EU-', [one, leased]],
        ['unt=ops', [one]],
        ['gion', [one, other, leased]],
        ['=US', [other]],
        ['west account', []],
        ['opsregion', []],
        ['{', []],
        ['"', []],
      ] as const) {
        expect(await list({ search })).toEqual(expected);
      }
      expect(await list({ search: 'region=eu', state: 'free' })).toEqual([one, other]);
    });

    it.each(['%', '_', '.', '.*', '^key', '\\', '[k]', '(', "'", '"', '*'])(
      'takes %s in a search for the character itself',
      async (search) => {
        const holders = [`a ${search} b`, 'a label', 'a b', 'a x b', 'a'];
        const found: Key[] = [];
        for (const [i, holder] of holders.entries()) {
          const labels = { note: i === 1 ? `a ${search} b` : holder };
          const claim = { lease: { ...makeClaim(NOW).lease, holder } };
          found.push(await addLeasedKey(test.store, { slot: i / 10, labels }, claim));
        }
        expect(await list({ search: `A ${search} B` })).toEqual(found.slice(0, 2));
      },
    );

    it('tells where to go on as long as more keys follow, and only then', async () => {
      const keys = [0.1, 0.2, 0.3].map((slot) => makeKey({ slot }));
      await addKeys(test.store, keys);
      const page = (limit: number, after?: number) => test.store.keys.list({ ...AT_NOW, limit, after });
      expect(await page(2)).toEqual({ keys: keys.slice(0, 2), next: 0.2 });
      expect(await page(2, 0.2)).toEqual({ keys: keys.slice(2) });
      expect(await page(3)).toEqual({ keys });
      expect(await page(3, 0.3)).toEqual({ keys: [] });
    });

    it('leads through thousands of keys without gap or repeat, whatever is asked for', async () => {
      const all = await addThousands();
      const living = all.filter((key) => key.expiresAt > NOW);
      for (const state of [undefined, 'free', 'leased', 'cooling'] as const) {
        const expected = living.filter((key) => state === undefined || keyStateAt(key, NOW) === state);
        expect(expected.length).toBeGreaterThan(1000);
        // Pages that are full, and pages that are not.
        const limit = state === undefined ? 997 : 5000;
        expect(idsOf(await list({ state, limit }))).toEqual(idsOf(expected));
      }
      for (const search of ['key_4', 'host_48']) {
        const expected = living.filter(
          (key) => key.keyId.startsWith(search) || key.lease?.holder?.startsWith(search),
        );
        expect(expected.length).toBeGreaterThan(10);
        expect(idsOf(await list({ search }))).toEqual(idsOf(expected));
      }
      const last = ['key_4990', 'key_4992', 'key_4995', 'key_4997', 'key_4999'];
      expect(idsOf(await list({ search: 'key_499', state: 'cooling' }))).toEqual(last);

      // Where nothing matches, a page tells how far it looked.
      const { keys, next } = await test.store.keys.list({ ...AT_NOW, search: 'nothing' });
      expect(keys).toEqual([]);
      expect(next).toBeGreaterThan(0);
      expect(next).toBeLessThan(1);
      expect(await list({ search: 'nothing' })).toEqual([]);
      expect(await list({ now: NOW + KEY_LIFE_MS })).toEqual([]);
    });

    /** 5,000 keys by slot: dead ones, leased ones, and free ones, which in the second half are cooling. */
    async function addThousands(): Promise<Key[]> {
      const kinds = ['dead', 'free', 'leased', 'dead', 'free', 'leased', 'free'];
      const free = Array.from({ length: 5000 }, (_, i) => {
        const kind = kinds[i % kinds.length];
        return makeKey({
          keyId: `key_${i}`,
          slot: i / 5000,
          ...(kind === 'dead' && { expiresAt: NOW }),
          ...(kind === 'free' && i >= 2500 && { freeAt: FREE_AGAIN }),
        });
      });
      for (let i = 0; i < free.length; i += 1000) await addKeys(test.store, free.slice(i, i + 1000));
      const lease = async (key: Key, i: number): Promise<Key> => {
        if (kinds[i % kinds.length] !== 'leased') return key;
        const claim = makeClaim(NOW);
        const named = { ...claim, lease: { ...claim.lease, holder: `host_${i}` } };
        return expectKey(await test.store.keys.reclaim(key, named));
      };
      const all: Key[] = [];
      for (let i = 0; i < free.length; i += 100) {
        all.push(...(await Promise.all(free.slice(i, i + 100).map((key, n) => lease(key, i + n)))));
      }
      return all;
    }
  });

  describe('listLeased', () => {
    const test = useStore(makeStore);
    const query = { clientId: 'client', limit: 100 };
    const addHeld = async (keyId: string, acquiredAt: number, clientId = 'client') => {
      const { lease, ...claim } = makeClaim(NOW, { clientId });
      await addKey(test.store, { keyId });
      return expectKey(await test.store.keys.claim({ ...claim, lease: { ...lease, acquiredAt } }, ALL_SLOTS));
    };

    it('returns the keys of any pool on which a lease of the client stands, the oldest first, then by id', async () => {
      const b = await addHeld('b', NOW);
      const c = await addHeld('c', NOW - 1);
      const a = await addLeasedKey(test.store, { keyId: 'a', pool: OTHER_POOL });
      await addLeasedKey(test.store, {}, { clientId: 'another client' });
      await addKey(test.store);
      expect(await test.store.keys.listLeased(query)).toEqual([c, a, b]);
    });

    it('keeps a lease in its place when it is kept alive', async () => {
      const first = await addHeld('b', NOW - 1);
      const second = await addHeld('a', NOW);
      await test.store.keys.extend(makeExtension(first, NOW));
      expect(await test.store.keys.listLeased(query)).toEqual([await stored(test.store, first), second]);
    });

    it('leaves out leases that were ended, and has those whose lapse nobody has written down', async () => {
      const lapsed = await addLeasedKey(test.store);
      const recorded = await addLeasedKey(test.store);
      await test.store.keys.recordLapses({ lapses: lapsesOf(recorded), now: FREE_AGAIN });
      const released = await addLeasedKey(test.store);
      await test.store.keys.release(makeRelease(released, NOW));
      const unblocked = await addLeasedKey(test.store);
      await test.store.keys.unblock(unblocked, unblocked.freeAt);
      expect(await test.store.keys.listLeased(query)).toEqual([lapsed]);
    });

    it('leads through all pages without gap or repeat', async () => {
      const keys: Key[] = [];
      for (let i = 0; i < 25; i++) keys.push(await addHeld(`key-${i}`, NOW + ((i * 7) % 5)));
      const seen: Key[] = [];
      for (let after: LeasePlace | undefined; ; ) {
        const page = await test.store.keys.listLeased({ ...query, limit: 7, after });
        seen.push(...page);
        if (page.length < 7) break;
        const last = page.at(-1) as Key;
        after = { acquiredAt: leaseOf(last).acquiredAt, keyId: last.keyId };
      }
      const place = (key: Key) => `${leaseOf(key).acquiredAt} ${key.keyId}`;
      expect(seen.map(place)).toEqual(keys.map(place).toSorted());
    });
  });

  describe('listLeasingClients', () => {
    const test = useStore(makeStore);

    it('returns each client with a lease once, by id, however many leases it has', async () => {
      const clientIds = ['b', 'a', 'a-1', 'C', '_'];
      for (const clientId of clientIds) await addLeasedKey(test.store, {}, { clientId });
      for (let i = 0; i < 250; i++) await addLeasedKey(test.store, {}, { clientId: 'a' });
      const ended = await addLeasedKey(test.store, {}, { clientId: 'z' });
      await test.store.keys.release(makeRelease(ended, NOW));
      await addKey(test.store);
      const list = (after: string, limit = 100) => test.store.keys.listLeasingClients({ after, limit });
      expect(await list('')).toEqual(['C', '_', 'a', 'a-1', 'b']);
      expect(await list('_', 2)).toEqual(['a', 'a-1']);
      expect(await list('a-1')).toEqual(['b']);
      expect(await list('b')).toEqual([]);
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
      expect(await countAt(NOW)).toEqual({ free: 1, leased: 1, cooling: 1, paused: 0, nextFreeAt });
      expect(await countAt(LEASE_END)).toEqual({ free: 1, leased: 0, cooling: 2, paused: 0, nextFreeAt });
      const afterFirst = { free: 2, leased: 0, cooling: 1, paused: 0, nextFreeAt: FREE_AGAIN };
      expect(await countAt(nextFreeAt)).toEqual(afterFirst);
      expect(await countAt(FREE_AGAIN)).toEqual({ free: 3, leased: 0, cooling: 0, paused: 0 });
    });

    it('counts no expired and no deleted key, with no sweep', async () => {
      await addKey(test.store, { expiresAt: NOW });
      await addLeasedKey(test.store, { expiresAt: NOW + 1 }, { freeAt: LEASE_END, keyExpiresAt: LEASE_END });
      await test.store.keys.delete(await addKey(test.store), NOW + KEY_LIFE_MS);
      const nothing = { free: 0, leased: 0, cooling: 0, paused: 0 };
      expect(await test.store.keys.count({ ...AT_NOW, now: LEASE_END })).toEqual(nothing);
    });

    it('stops at the limit, for each state', async () => {
      await addKeys(test.store, [makeKey(), makeKey(), makeKey()]);
      for (let i = 0; i < 6; i++) {
        const key = await addLeasedKey(test.store);
        if (i < 3) await test.store.keys.unblock(key, key.freeAt);
      }
      const counts = (limit: number) => test.store.keys.count({ ...AT_NOW, limit });
      expect(await counts(2)).toMatchObject({ free: 2, leased: 2, cooling: 2, paused: 0 });
      expect(await counts(3)).toMatchObject({ free: 3, leased: 3, cooling: 3, paused: 0 });
      expect(await counts(4)).toMatchObject({ free: 3, leased: 3, cooling: 3, paused: 0 });
    });

    it('counts lapsed keys that still cool among more leased ones than the limit', async () => {
      for (let i = 0; i < 8; i++) {
        const key = await addLeasedKey(test.store);
        if (i >= 2) await test.store.keys.extend(makeExtension(key, LEASE_END - 1));
      }
      const counts = await test.store.keys.count({ pool: POOL, now: LEASE_END, limit: 3 });
      expect(counts).toEqual({ free: 0, leased: 3, cooling: 2, paused: 0, nextFreeAt: FREE_AGAIN });
    });
  });
}

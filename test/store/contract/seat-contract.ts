import { describe, expect, it } from 'vitest';
import type { Key } from '../../../shared/domain/key.ts';
import { poolReference } from '../../../shared/domain/pool.ts';
import type { SeatedKey } from '../../../shared/domain/store.ts';
import { persistently } from '../../domain/support/persistently.ts';
import {
  ALL_SLOTS,
  addKey,
  addKeys,
  addLeasedKey,
  expectKey,
  FREE_AGAIN,
  GENERATION,
  makeClaim,
  makeExtension,
  makeKey,
  makeRelease,
  NAME,
  NOW,
  OTHER_POOL,
  POOL,
  SECOND,
  stored,
} from './scene.ts';
import { type MakeStore, useStore } from './store-fixture.ts';

const FORMER = poolReference({ name: NAME, generation: GENERATION - 1 });

export function describeSeats(makeStore: MakeStore): void {
  const makeLeasedKey = (differing: Partial<Key> = {}): Key => {
    const { lease, freeAt, keyExpiresAt } = makeClaim(NOW);
    return makeKey({ state: 'leased', lease, freeAt, expiresAt: keyExpiresAt, ...differing });
  };

  describe('mint', () => {
    const test = useStore(makeStore);

    it('adds a key on its seat, leased already, with all that its claim has', async () => {
      const key = makeLeasedKey({
        seat: 3,
        requestHash: 'hash',
        requestBody: 'body',
        clientSeat: 'client.0',
        lease: { ...makeClaim(NOW).lease, holder: 'host', maxExpiresAt: FREE_AGAIN },
      });
      expect(await test.store.keys.mint(key)).toEqual(key);
      expect(await stored(test.store, key)).toEqual(key);
      expect(expectKey(await test.store.keys.extend(makeExtension(key, NOW + SECOND))).seat).toBe(3);
    });

    it('adds nothing on a seat that another key has, in whatever state', async () => {
      const free = makeKey({ seat: 0 });
      const expired = makeKey({ seat: 1, expiresAt: NOW - SECOND, freeAt: NOW - SECOND });
      await addKeys(test.store, [free, expired]);
      const deleted = await addKey(test.store, { seat: 2 });
      await test.store.keys.delete(deleted, NOW);
      const former = await addLeasedKey(test.store, { seat: 3, pool: FORMER });
      for (const { seat } of [free, expired, deleted, former]) {
        const key = makeKey({ seat });
        expect(await test.store.keys.mint(key)).toBe('seat_taken');
        expect(await test.store.keys.getStored(key.keyId)).toBeNull();
      }
    });

    it('does so beside the same seat of another pool, and keys without a seat', async () => {
      await addKeys(test.store, [makeKey(), makeKey(), makeKey({ seat: 0, pool: OTHER_POOL })]);
      const key = makeKey({ seat: 0 });
      expect(await test.store.keys.mint(key)).toEqual(key);
    });

    it('adds nothing where another key carries its request, or its number of the client', async () => {
      await addLeasedKey(test.store, {}, { requestHash: 'hash', clientSeat: 'client.0' });
      const repeated = makeLeasedKey({ seat: 0, requestHash: 'hash' });
      expect(await test.store.keys.mint(repeated)).toBe('repeated');
      const taken = makeLeasedKey({ seat: 0, clientSeat: 'client.0' });
      expect(await test.store.keys.mint(taken)).toBe('client_seat_taken');
      const both = makeLeasedKey({ seat: 0, requestHash: 'hash', clientSeat: 'client.0' });
      expect(['repeated', 'client_seat_taken']).toContain(await test.store.keys.mint(both));
      expect(await test.store.keys.listSeated({ name: NAME, below: 9 })).toEqual([]);
    });

    it('gives each seat once, to as many as ask at once', async () => {
      const stores = [test.store, await test.another()];
      const minted = await Promise.all(
        Array.from({ length: 40 }, (_, i) =>
          persistently(async () => stores[i % 2]?.keys.mint(makeKey({ seat: i % 8 }))),
        ),
      );
      const seats = minted.filter((result) => result !== 'seat_taken').map((result) => (result as Key).seat);
      expect(seats.toSorted()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
      expect(await test.store.keys.count({ pool: POOL, now: NOW, limit: 100 })).toMatchObject({ free: 8 });
    });
  });

  describe('mintMissing', () => {
    const test = useStore(makeStore);

    it('adds the keys whose seat is not taken, and tells how many', async () => {
      const standing = await addKey(test.store, { seat: 1 });
      const [first, second, third] = [0, 1, 2].map((seat) => makeKey({ seat })) as [Key, Key, Key];
      expect(await test.store.keys.mintMissing([first, second, third])).toBe(2);
      for (const key of [first, standing, third]) expect(await stored(test.store, key)).toEqual(key);
      expect(await test.store.keys.getStored(second.keyId)).toBeNull();
      expect(await test.store.keys.mintMissing([makeKey({ seat: 0 })])).toBe(0);
      expect(await test.store.keys.mintMissing([])).toBe(0);
    });

    it('gives each seat once beside others', async () => {
      const stores = [test.store, await test.another()];
      const counts = await Promise.all(
        Array.from({ length: 8 }, (_, i) =>
          persistently(
            async () =>
              stores[i % 2]?.keys.mintMissing(Array.from({ length: 10 }, (_, seat) => makeKey({ seat }))) ??
              0,
          ),
        ),
      );
      // What a command added whose response was lost is in no count.
      expect(counts.reduce((sum, count) => sum + count)).toBeLessThanOrEqual(10);
      expect(await test.store.keys.listSeated({ name: NAME, below: 99 })).toHaveLength(10);
    });
  });

  describe('listSeated', () => {
    const test = useStore(makeStore);

    it('returns what has a seat below the number, of every state and generation', async () => {
      const expected = [
        await addKey(test.store, { seat: 0 }),
        await addLeasedKey(test.store, { seat: 1 }),
        await addKey(test.store, { seat: 4, expiresAt: NOW - SECOND, freeAt: NOW - SECOND }),
        await addLeasedKey(test.store, { seat: 7, pool: FORMER }),
      ];
      const deleted = await addKey(test.store, { seat: 8 });
      await test.store.keys.delete(deleted, NOW + SECOND);
      await addKeys(test.store, [makeKey(), makeKey({ seat: 9 }), makeKey({ seat: 2, pool: OTHER_POOL })]);
      for (const name of ['defaul', 'default-2', 'default0', 'default#']) {
        await addKey(test.store, { seat: 3, pool: poolReference({ name, generation: GENERATION }) });
      }

      const found = await test.store.keys.listSeated({ name: NAME, below: 9 });

      const all = [...expected, await stored(test.store, deleted)];
      expect(found.toSorted((one, other) => one.seat - other.seat)).toEqual(all.map(toSeated));
      expect(await test.store.keys.listSeated({ name: NAME, below: 0 })).toEqual([]);
      expect(await test.store.keys.countSeated({ name: NAME, below: 9 })).toBe(5);
      expect(await test.store.keys.countSeated({ name: NAME, below: 0 })).toBe(0);
    });

    it('tells which of them are free, of every stored state and generation', async () => {
      const expected = [
        await addKey(test.store, { seat: 0 }),
        await addKey(test.store, { seat: 4, expiresAt: NOW - SECOND, freeAt: NOW - SECOND }),
        await addKey(test.store, { seat: 5, pool: FORMER, freeAt: NOW }),
      ];
      const deleted = await addKey(test.store, { seat: 6 });
      await test.store.keys.delete(deleted, NOW);
      const lapsed = await addKey(test.store, { seat: 7 });
      const claim = makeClaim(NOW - SECOND);
      const lease = { ...claim.lease, expiresAt: NOW };
      expectKey(await test.store.keys.reclaim(lapsed, { ...claim, lease, freeAt: NOW }));
      await addLeasedKey(test.store, { seat: 1 });
      await addKeys(test.store, [
        makeKey({ seat: 2, freeAt: NOW + 1 }),
        makeKey({ seat: 9 }),
        makeKey(),
        makeKey({ seat: 3, pool: OTHER_POOL }),
      ]);
      for (const name of ['defaul', 'default-2', 'default0']) {
        await addKey(test.store, { seat: 8, pool: poolReference({ name, generation: GENERATION }) });
      }

      const found = await test.store.keys.listSeatedFree({ name: NAME, below: 9, now: NOW });

      const all = [...expected, await stored(test.store, deleted), await stored(test.store, lapsed)];
      expect(found.toSorted((one, other) => one.seat - other.seat)).toEqual(all.map(toSeated));
    });

    function toSeated({ keyId, pool, state, fencingToken, expiresAt, freeAt, seat }: Key): SeatedKey {
      return { keyId, pool, state, fencingToken, expiresAt, freeAt, seat: seat as number };
    }
  });

  describe('countBeyond', () => {
    const test = useStore(makeStore);
    const count = (now = NOW, limit = 100, countFormer = false) =>
      test.store.keys.countBeyond({ pool: POOL, below: 2, now, limit, countFormer });

    it('counts what is held or cools without a seat below the number', async () => {
      await addLeasedKey(test.store);
      await addLeasedKey(test.store, { seat: 2 });
      await addKey(test.store, { seat: 5, freeAt: FREE_AGAIN });
      await test.store.keys.delete(await addLeasedKey(test.store), FREE_AGAIN);
      expect(await count()).toBe(4);
      expect(await count(FREE_AGAIN - 1)).toBe(4);
      expect(await count(FREE_AGAIN)).toBe(0);
      expect(await count(NOW, 3)).toBe(3);
    });

    it('counts those of earlier generations on demand', async () => {
      await addLeasedKey(test.store);
      await addLeasedKey(test.store, { pool: FORMER });
      await addLeasedKey(test.store, { pool: poolReference({ name: NAME, generation: 0 }), seat: 7 });
      await addLeasedKey(test.store, { pool: FORMER, seat: 1 });
      await addKey(test.store, { pool: FORMER });
      for (const name of ['defaul', 'default-2', 'default0']) {
        await addLeasedKey(test.store, { pool: poolReference({ name, generation: 1 }) });
      }
      expect(await count()).toBe(1);
      expect(await count(NOW, 100, true)).toBe(3);
      expect(await count(NOW, 2, true)).toBe(2);
      expect(await count(FREE_AGAIN, 100, true)).toBe(0);
    });

    it('leaves out free keys, seats below, and other pools', async () => {
      await addLeasedKey(test.store, { seat: 1 });
      await addKeys(test.store, [makeKey(), makeKey({ seat: 3 }), makeKey({ seat: 0, freeAt: FREE_AGAIN })]);
      await addLeasedKey(test.store, { pool: OTHER_POOL });
      expect(await count()).toBe(0);
      expect(await count(NOW, 0)).toBe(0);
    });
  });

  describe('removeBeyond', () => {
    const test = useStore(makeStore);
    const remove = (limit = 100) => test.store.keys.removeBeyond({ pool: POOL, below: 2, now: NOW, limit });

    it('removes the free keys without a seat below the number, and no other', async () => {
      const kept = [
        await addKey(test.store, { seat: 1 }),
        await addLeasedKey(test.store),
        await addLeasedKey(test.store, { seat: 3 }),
        await addKey(test.store, { freeAt: NOW + SECOND }),
        await addKey(test.store, { pool: OTHER_POOL }),
      ];
      const removed = [await addKey(test.store), await addKey(test.store, { seat: 2 })];
      expect(await remove(1)).toBe(1);
      expect(await remove()).toBe(1);
      expect(await remove()).toBe(0);
      for (const key of kept) expect(await stored(test.store, key)).toEqual(key);
      for (const { keyId } of removed) expect(await test.store.keys.getStored(keyId)).toBeNull();
    });
  });

  describe('remove', () => {
    const test = useStore(makeStore);

    it('removes a key that stands as found, a deleted one too, and makes its seat free', async () => {
      const free = await addKey(test.store, { seat: 0 });
      const leased = await addLeasedKey(test.store, { seat: 1 });
      await test.store.keys.delete(leased, FREE_AGAIN);
      for (const key of [free, await stored(test.store, leased)]) {
        expect(await test.store.keys.remove(key)).toBe(true);
        expect(await test.store.keys.remove(key)).toBe(false);
        expect(await test.store.keys.getStored(key.keyId)).toBeNull();
        expectKey(await test.store.keys.mint(makeKey({ seat: key.seat })));
      }
    });

    it.each<[string, (key: Key) => Partial<Key>]>([
      ['in another state', () => ({ state: 'deleted' })],
      ['with another fencing token', ({ fencingToken }) => ({ fencingToken: fencingToken + 1 })],
      ['with another hard expiration', ({ expiresAt }) => ({ expiresAt: expiresAt - 1 })],
      ['with another freeAt', ({ freeAt }) => ({ freeAt: freeAt - 1 })],
      ['under another id', () => ({ keyId: 'another' })],
    ])('leaves a key alone that was found %s', async (_, differing) => {
      const key = await addKey(test.store);
      expect(await test.store.keys.remove({ ...key, ...differing(key) })).toBe(false);
      expect(await stored(test.store, key)).toEqual(key);
    });

    it('leaves a key alone that was leased, refreshed or extended since', async () => {
      const leased = await addKey(test.store);
      expectKey(await test.store.keys.reclaim(leased, makeClaim(NOW)));
      const refreshed = await addKey(test.store);
      await test.store.keys.refresh({
        keyId: refreshed.keyId,
        now: NOW,
        keyExpiresAt: refreshed.expiresAt + 1,
      });
      const extended = await addLeasedKey(test.store);
      await test.store.keys.extend(makeExtension(extended, NOW + SECOND));
      for (const key of [leased, refreshed, extended]) {
        expect(await test.store.keys.remove(key)).toBe(false);
        expect(await test.store.keys.getStored(key.keyId)).not.toBeNull();
      }
    });
  });

  describe('a claim of seats below a number', () => {
    const test = useStore(makeStore);
    const below = (seatsBelow: number) => makeClaim(NOW, { seatsBelow });

    it('takes no key on another seat, and none without one', async () => {
      await addKeys(test.store, [makeKey({ slot: 0.1 }), makeKey({ slot: 0.2, seat: 2 })]);
      const seated = await addKey(test.store, { slot: 0.9, seat: 1 });
      expect(await test.store.keys.claim(below(1), ALL_SLOTS)).toBeNull();
      expect(expectKey(await test.store.keys.claim(below(2), ALL_SLOTS)).keyId).toBe(seated.keyId);
      expect(await test.store.keys.claim(below(2), ALL_SLOTS)).toBeNull();
      expect(await test.store.keys.claim(below(0), ALL_SLOTS)).toBeNull();
      expectKey(await test.store.keys.claim(makeClaim(NOW), ALL_SLOTS));
    });

    it('refuses the key that was found, where its seat is another, or none', async () => {
      for (const differing of [{}, { seat: 2 }]) {
        const key = await addKey(test.store, differing);
        expect(await test.store.keys.reclaim(key, below(2))).toBeNull();
        expect(await stored(test.store, key)).toEqual(key);
      }
      const key = await addKey(test.store, { seat: 1 });
      expect(await test.store.keys.reclaim(key, below(2))).toMatchObject({ keyId: key.keyId, seat: 1 });
    });

    it('finds what is claimable by it, lapsed ones too, and otherwise when the next of them is free', async () => {
      const query = { pool: POOL, limit: 16, seatsBelow: 2 };
      await addLeasedKey(test.store);
      await addLeasedKey(test.store, { seat: 2 });
      await addKeys(test.store, [makeKey(), makeKey({ seat: 3 }), makeKey({ freeAt: NOW + SECOND })]);
      expect(await test.store.keys.listClaimable({ ...query, now: NOW })).toEqual({ keys: [] });
      const held = await addLeasedKey(test.store, { seat: 0 });
      await addKey(test.store, { seat: 1, freeAt: FREE_AGAIN + 1 });
      const next = { keys: [], nextFreeAt: FREE_AGAIN };
      expect(await test.store.keys.listClaimable({ ...query, now: NOW })).toEqual(next);
      expect(await test.store.keys.listClaimable({ ...query, now: FREE_AGAIN })).toEqual({ keys: [held] });
    });

    it('keeps the seat of a key through leases, releases and lapses', async () => {
      const key = await addKey(test.store, { seat: 1 });
      const first = expectKey(await test.store.keys.claim(below(2), ALL_SLOTS));
      await test.store.keys.release(makeRelease(first, NOW));
      const second = expectKey(await test.store.keys.reclaim(await stored(test.store, key), below(2)));
      await test.store.keys.recordLapse({
        keyId: key.keyId,
        leaseId: second.lease?.id ?? '',
        now: FREE_AGAIN,
      });
      expect(await stored(test.store, key)).toMatchObject({ state: 'free', seat: 1 });
      expect(await test.store.keys.mint(makeKey({ seat: 1 }))).toBe('seat_taken');
    });
  });
}

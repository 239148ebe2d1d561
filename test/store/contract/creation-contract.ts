import { describe, expect, it } from 'vitest';
import type { Key } from '../../../shared/domain/key.ts';
import type { Creation } from '../../../shared/domain/store.ts';
import { persistently } from '../../domain/support/persistently.ts';
import {
  addKey,
  addKeys,
  addLeasedKey,
  FREE_AGAIN,
  makeKey,
  makeSeats,
  NOW,
  OTHER_POOL,
  SECOND,
  stored,
} from './scene.ts';
import { type MakeStore, useStore } from './store-fixture.ts';

/** How many fencing tokens each import has to itself. */
const BLOCK = 2 ** 32;

export function describeCreations(makeStore: MakeStore): void {
  describe('create of keys that stand already', () => {
    const test = useStore(makeStore);

    it.each<[string, (key: Key) => Partial<Key>]>([
      ['id', ({ keyId }) => ({ keyId })],
      ['value hash', ({ valueHash }) => ({ valueHash })],
    ])('adds none of them where one has the %s of another key, in whatever state', async (_, same) => {
      const { keys } = test.store;
      const free = await addKey(test.store, { valueHash: 'a', value: 'sealed a' });
      const leased = await addLeasedKey(test.store, { valueHash: 'b', value: 'sealed b' });
      const expired = await addKey(test.store, {
        valueHash: 'c',
        expiresAt: NOW - SECOND,
        freeAt: NOW - SECOND,
      });
      const deleted = await addKey(test.store, { valueHash: 'd' });
      await keys.delete(deleted, FREE_AGAIN);
      for (const key of [free, leased, expired, deleted]) {
        const added = [makeKey(), makeKey({ valueHash: 'new' }), makeKey(same(key)), makeKey()];
        expect(await keys.create(added, null)).toBe('exists');
        expect(await keys.create(added, makeSeats(99))).toBe('exists');
        const ids = added.map(({ keyId }) => keyId).filter((keyId) => keyId !== key.keyId);
        expect(await keys.listStored(ids)).toEqual([]);
      }
      expect(await stored(test.store, free)).toEqual(free);
      expect(await stored(test.store, leased)).toEqual(leased);
    });

    it('adds none where a value stands under one of the other hashes, in whatever state', async () => {
      const { keys } = test.store;
      const free = await addKey(test.store, { valueHash: 'a' });
      const deleted = await addKey(test.store, { valueHash: 'b' });
      await keys.delete(deleted, FREE_AGAIN);
      for (const hash of ['a', 'b']) {
        const added = [makeKey({ valueHash: 'new' }), makeKey({ valueHash: 'newer' })];
        expect(await keys.create(added, null, ['x', hash])).toBe('exists');
        expect(await keys.create(added, makeSeats(99), [hash])).toBe('exists');
        expect(await keys.listByValue(['new', 'newer'])).toEqual([]);
      }
      expect(await stored(test.store, free)).toEqual(free);
      expect(await keys.create([makeKey({ valueHash: 'new' })], makeSeats(99), ['x'])).toBe('created');
    });

    it('adds a value once, however many import it at once under one hash and look for the other', async () => {
      const stores = [test.store, await test.another()];
      const creates = Array.from({ length: 12 }, (_, i) =>
        persistently(async () => {
          const [own, other] = i % 2 === 0 ? ['a', 'b'] : ['b', 'a'];
          return stores[i % 2]?.keys.create([makeKey({ valueHash: own })], makeSeats(99), [other as string]);
        }),
      );
      const created = (await Promise.allSettled(creates)).filter(
        (one) => one.status === 'fulfilled' && one.value === 'created',
      );
      const standing = await test.store.keys.listByValue(['a', 'b']);
      expect(standing).toHaveLength(created.length);
      expect(standing.length).toBeLessThanOrEqual(1);
    });

    it('adds none where two of them have the same id, or the same value hash', async () => {
      const key = makeKey({ valueHash: 'a' });
      for (const twice of [makeKey({ keyId: key.keyId }), makeKey({ valueHash: 'a' })]) {
        expect(await test.store.keys.create([key, makeKey(), twice], null)).toBe('exists');
        expect(await test.store.keys.listStored([key.keyId])).toEqual([]);
      }
      expect(await test.store.keys.create([key], null)).toBe('created');
    });

    it('adds a value once, however many import it at once', async () => {
      const stores = [test.store, await test.another()];
      const makeImport = () => [makeKey({ valueHash: 'a' }), makeKey({ valueHash: 'b' })];
      const imports = Array.from({ length: 12 }, makeImport);
      await Promise.allSettled(
        imports.map((keys, i) => persistently(async () => stores[i % 2]?.keys.create(keys, makeSeats(99)))),
      );
      // Where they only stood in each other's way, a repeat gets through.
      const last = makeImport();
      await test.store.keys.create(last, null);
      const idsOf = (keys: readonly Key[]) => keys.map(({ keyId }) => keyId).toSorted();
      const standing = idsOf(await test.store.keys.listByValue(['a', 'b']));
      expect([...imports, last].map(idsOf)).toContainEqual(standing);
    });
  });

  describe('listStored', () => {
    const test = useStore(makeStore);

    it('returns those of the keys that stand, deleted and expired ones too', async () => {
      const [free, leased] = [await addKey(test.store), await addLeasedKey(test.store)];
      const expired = await addKey(test.store, { expiresAt: NOW - SECOND, freeAt: NOW - SECOND });
      await addKey(test.store);
      const { keyId } = await addKey(test.store);
      await test.store.keys.delete(await stored(test.store, { keyId }), FREE_AGAIN);
      const deleted = await stored(test.store, { keyId });
      const all = [free, leased, expired, deleted];
      const found = await test.store.keys.listStored([...all.map((key) => key.keyId), 'unknown']);
      const byId = (one: Key, other: Key) => (one.keyId < other.keyId ? -1 : 1);
      expect(found.toSorted(byId)).toEqual(all.toSorted(byId));
      expect(await test.store.keys.listStored([])).toEqual([]);
    });
  });

  describe('listByValue', () => {
    const test = useStore(makeStore);

    it('returns the keys that carry one of the hashes, in whatever state, wherever they stand', async () => {
      const labels = { account: 'ops', region: 'eu' };
      const free = await addKey(test.store, { valueHash: 'a', value: 'sealed', labels });
      const elsewhere = await addKey(test.store, { valueHash: 'b', pool: OTHER_POOL });
      const deleted = await addLeasedKey(test.store, { valueHash: 'c' });
      await test.store.keys.delete(deleted, FREE_AGAIN);
      await addKeys(test.store, [makeKey(), makeKey({ valueHash: 'd' })]);
      const found = await test.store.keys.listByValue(['a', 'b', 'c', 'unknown']);
      const expected = [free, elsewhere, await stored(test.store, deleted)];
      const byHash = (one: Key, other: Key) => ((one.valueHash ?? '') < (other.valueHash ?? '') ? -1 : 1);
      expect(found.toSorted(byHash)).toEqual(expected);
      expect(await test.store.keys.listByValue([])).toEqual([]);
    });
  });

  describe('a note of a creation', () => {
    const test = useStore(makeStore);
    const note = (differing: Partial<Creation> = {}): Creation => ({
      requestHash: 'hash',
      requestBody: 'body',
      keyIds: ['a', 'b'],
      expiresAt: NOW + SECOND,
      done: false,
      ...differing,
    });

    it('is taken once; the same request finds it, and whether it was finished', async () => {
      const { keys } = test.store;
      expect(await keys.beginCreation(note(), NOW)).toEqual(note());
      const later = note({ keyIds: ['c'], requestBody: 'another body', expiresAt: NOW + 9 * SECOND });
      expect(await keys.beginCreation(later, NOW)).toEqual(note());
      await keys.finishCreation('hash');
      expect(await keys.beginCreation(later, NOW + SECOND - 1)).toEqual(note({ done: true }));
      await keys.finishCreation('unknown');
    });

    it('is forgotten when its time is over, finished or not', async () => {
      const { keys } = test.store;
      await keys.beginCreation(note(), NOW);
      await keys.finishCreation('hash');
      const next = note({ keyIds: ['c'], expiresAt: NOW + 9 * SECOND });
      expect(await keys.beginCreation(next, NOW + SECOND)).toEqual(next);
    });

    it('is one beside those of other requests', async () => {
      const { keys } = test.store;
      await keys.beginCreation(note(), NOW);
      const other = note({ requestHash: 'another hash', keyIds: ['c'] });
      expect(await keys.beginCreation(other, NOW)).toEqual(other);
      await keys.finishCreation('another hash');
      expect(await keys.beginCreation(note(), NOW)).toEqual(note());
    });

    it('is one for all that send the same request at once', async () => {
      const stores = [test.store, await test.another()];
      const begun = await Promise.all(
        Array.from({ length: 12 }, (_, i) =>
          persistently(async () => stores[i % 2]?.keys.beginCreation(note({ keyIds: [`key ${i}`] }), NOW)),
        ),
      );
      expect(new Set(begun.map((creation) => creation?.keyIds[0])).size).toBe(1);
    });
  });

  describe('reserveTokens', () => {
    const test = useStore(makeStore);
    const reserve = (hashes: string[][], now = NOW, store = test.store) =>
      store.keys.reserveTokens(
        hashes.map((each) => ({ hashes: each })),
        now,
      );

    it('gives each import of a value a block of its own, from the present time on', async () => {
      expect(await reserve([['a'], ['b']])).toEqual([NOW, NOW]);
      expect(await reserve([['c'], ['a']])).toEqual([NOW, NOW + BLOCK]);
      expect(await reserve([['a'], ['b']], NOW + SECOND)).toEqual([NOW + 2 * BLOCK, NOW + BLOCK]);
      expect(await reserve([['a']], NOW + 9 * BLOCK)).toEqual([NOW + 9 * BLOCK]);
    });

    it('goes on from the block before where the clock is behind', async () => {
      await reserve([['a']]);
      expect(await reserve([['a']], NOW - 1_000_000 * SECOND)).toEqual([NOW + BLOCK]);
    });

    it('knows a value by any of its hashes, whichever is the current one, and whoever knows which', async () => {
      expect(await reserve([['old']])).toEqual([NOW]);
      expect(await reserve([['new', 'old']])).toEqual([NOW + BLOCK]);
      // A host that does not know the new key yet.
      expect(await reserve([['old']])).toEqual([NOW + 2 * BLOCK]);
      expect(await reserve([['new', 'old']])).toEqual([NOW + 3 * BLOCK]);
      // One that knows the old key no more.
      expect(await reserve([['new']])).toEqual([NOW + 4 * BLOCK]);
      expect(await reserve([['newer', 'new']])).toEqual([NOW + 5 * BLOCK]);
    });

    it('gives no token twice to imports at once, whichever hash is current for them', async () => {
      const stores = [test.store, await test.another()];
      const orders = [
        ['a', 'b'],
        ['b', 'a'],
      ];
      const reserved = await Promise.all(
        Array.from({ length: 24 }, (_, i) =>
          persistently(() => reserve([orders[i % 3 === 0 ? 1 : 0] ?? []], NOW - i * SECOND, stores[i % 2])),
        ),
      );
      const sorted = reserved.flat().toSorted((one, other) => one - other);
      for (const [index, first] of sorted.entries()) {
        if (index > 0) expect(first - (sorted[index - 1] as number)).toBeGreaterThanOrEqual(BLOCK);
      }
    });
  });
}

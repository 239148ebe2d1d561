import { describe, expect, it } from 'vitest';
import type { Event } from '../../../shared/domain/events.ts';
import type { Key } from '../../../shared/domain/key.ts';
import type { Store } from '../../../shared/domain/store.ts';
import { anEvent } from './event-contract.ts';
import {
  ALL_SLOTS,
  addKey,
  addLeasedKey,
  FREE_AGAIN,
  GENERATION,
  KEY_LIFE_MS,
  LEASE_END,
  leaseOf,
  makeClaim,
  makeExtension,
  makeRelease,
  NAME,
  NOW,
  POOL,
  stored,
} from './scene.ts';
import { type MakeStore, useStore } from './store-fixture.ts';

/** Every write that ends a lease, on a key that was leased at NOW and not kept alive. */
const ENDS: Record<string, (store: Store, key: Key, note: Event) => Promise<unknown>> = {
  recordLapse: ({ keys }, key, note) =>
    keys.recordLapse({ keyId: key.keyId, leaseId: leaseOf(key).id, now: LEASE_END, note }),
  recordLapses: ({ keys }, key, note) =>
    keys.recordLapses({ lapses: [{ keyId: key.keyId, leaseId: leaseOf(key).id, note }], now: LEASE_END }),
  reclaim: ({ keys }, key, note) => keys.reclaim(key, makeClaim(FREE_AGAIN), note),
  unblock: ({ keys }, key, note) => keys.unblock(key, key.freeAt, note),
  delete: ({ keys }, key, note) => keys.delete(key, key.freeAt, note),
  discard: ({ keys }, key, note) => keys.release(makeRelease(key, NOW, { discard: true, note })),
};

/** Every verb that removes keys, on one that was leased at NOW. */
const REMOVALS: Record<string, (store: Store, key: Key) => Promise<unknown>> = {
  remove: async ({ keys }, key) => keys.remove((await keys.getStored(key.keyId)) as Key),
  removeExpired: ({ keys }) => keys.removeExpired({ now: NOW + KEY_LIFE_MS, limit: 9 }),
  removeGenerations: ({ keys }) =>
    keys.removeGenerations({ name: NAME, before: GENERATION + 1, now: FREE_AGAIN, limit: 9 }),
  removeBeyond: ({ keys }) => keys.removeBeyond({ pool: POOL, below: 0, now: FREE_AGAIN, limit: 9 }),
};

export function describeNotes(makeStore: MakeStore): void {
  describe('notes', () => {
    const test = useStore(makeStore);
    const noted = (limit = 10) => test.store.keys.listNoted({ limit });
    const notes = async () => (await noted()).flatMap((key) => key.notes);

    it.each(Object.keys(ENDS))('are left by %s in the write that ends the lease', async (verb) => {
      const key = await addLeasedKey(test.store);
      const note = anEvent('a', { pool: 'a', keyId: key.keyId, holder: 'host', fencingToken: NOW });
      await ENDS[verb]?.(test.store, key, note);
      expect(await noted()).toEqual([{ keyId: key.keyId, notes: [note] }]);
    });

    it.each(Object.keys(ENDS))('are not left by %s where it ends nothing', async (verb) => {
      const key = await addLeasedKey(test.store);
      // Kept alive, and then released: no lease stands on it any more, and another token names the next one.
      await test.store.keys.extend(makeExtension(key, LEASE_END - 1));
      await test.store.keys.release(makeRelease(key, LEASE_END - 1));
      await test.store.keys.claim(makeClaim(LEASE_END), ALL_SLOTS);
      const before = await stored(test.store, key);
      await ENDS[verb]?.(test.store, key, anEvent('a'));
      expect(await noted()).toEqual([]);
      expect(await stored(test.store, key)).toEqual(before);
    });

    it('are not left by what ends no lease by itself', async () => {
      const key = await addLeasedKey(test.store);
      await test.store.keys.extend(makeExtension(key, LEASE_END - 1));
      await test.store.keys.release(makeRelease(key, LEASE_END - 1));
      expect(await noted()).toEqual([]);
    });

    it('stand behind one another, the latest hundred of them', async () => {
      let key = await addLeasedKey(test.store);
      for (let i = 0; i < 102; i++) {
        await ENDS.reclaim?.(test.store, key, anEvent(`${i}`));
        const claimed = await stored(test.store, key);
        await test.store.keys.release(makeRelease(claimed, FREE_AGAIN));
        key = await stored(test.store, key);
      }
      const expected = Array.from({ length: 100 }, (_, i) => anEvent(`${i + 2}`));
      expect(await notes()).toEqual(expected);
    });

    it('are listed of so many keys, or of those that are named', async () => {
      const keys: Key[] = [];
      for (let i = 0; i < 3; i++) {
        const key = await addLeasedKey(test.store);
        await ENDS.unblock?.(test.store, key, anEvent(`${i}`));
        keys.push(key);
      }
      const free = await addKey(test.store);
      expect(await noted(2)).toHaveLength(2);
      expect(await noted()).toHaveLength(3);
      const keyIds = [keys[1]?.keyId as string, free.keyId, 'unknown'];
      expect(await test.store.keys.listNoted({ limit: 9, keyIds })).toEqual([
        { keyId: keys[1]?.keyId, notes: [anEvent('1')] },
      ]);
    });

    it('are taken off if they are as they were read, and not otherwise', async () => {
      const { clearNotes } = test.store.keys;
      const key = await addLeasedKey(test.store);
      const { keyId } = key;
      await ENDS.unblock?.(test.store, key, anEvent('a'));
      await clearNotes([]);
      await clearNotes([{ keyId, notes: [anEvent('b')] }]);
      await clearNotes([{ keyId, notes: [] }]);
      await clearNotes([{ keyId, notes: [anEvent('a'), anEvent('b')] }]);
      await clearNotes([{ keyId: 'another key', notes: [anEvent('a')] }]);
      expect(await notes()).toEqual([anEvent('a')]);
      await test.store.keys.delete(await stored(test.store, key), NOW, anEvent('b'));
      await clearNotes([{ keyId, notes: [anEvent('a')] }]);
      expect(await notes()).toEqual([anEvent('a'), anEvent('b')]);
      await clearNotes(await noted());
      expect(await noted()).toEqual([]);
      await clearNotes([{ keyId, notes: [anEvent('a'), anEvent('b')] }]);
    });

    it.each(Object.keys(REMOVALS))('keep their key from %s until they are taken off', async (verb) => {
      const key = await addLeasedKey(test.store);
      await ENDS.recordLapse?.(test.store, key, anEvent('a'));
      await REMOVALS[verb]?.(test.store, key);
      expect(await notes()).toEqual([anEvent('a')]);
      await test.store.keys.clearNotes(await noted());
      await REMOVALS[verb]?.(test.store, key);
      expect(await test.store.keys.getStored(key.keyId)).toBeNull();
    });
  });
}

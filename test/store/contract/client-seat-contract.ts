import { describe, expect, it } from 'vitest';
import type { Key } from '../../../shared/domain/key.ts';
import type { Store } from '../../../shared/domain/store.ts';
import { persistently } from '../../domain/support/persistently.ts';
import {
  ALL_SLOTS,
  addKey,
  addKeys,
  addLeasedKey,
  expectKey,
  FREE_AGAIN,
  lapsesOf,
  leaseOf,
  makeClaim,
  makeExtension,
  makeKey,
  makeRelease,
  NOW,
  OTHER_POOL,
  SECOND,
  stored,
} from './scene.ts';
import { type MakeStore, useStore } from './store-fixture.ts';

/** Everything that ends the lease on a key, which gives the client its number back. */
const ENDS: Record<string, (store: Store, key: Key) => Promise<unknown>> = {
  released: ({ keys }, key) => keys.release(makeRelease(key, NOW)),
  'released for a rest': ({ keys }, key) => keys.release(makeRelease(key, NOW, { freeAt: FREE_AGAIN })),
  discarded: ({ keys }, key) => keys.release(makeRelease(key, NOW, { discard: true })),
  'recorded as lapsed': ({ keys }, key) =>
    keys.recordLapse({ keyId: key.keyId, leaseId: leaseOf(key).id, now: FREE_AGAIN }),
  swept: ({ keys }, key) => keys.recordLapses({ lapses: lapsesOf(key), now: FREE_AGAIN }),
  unblocked: ({ keys }, key) => keys.unblock(key, key.freeAt),
  deleted: ({ keys }, key) => keys.delete(key, key.freeAt),
  'leased by somebody else after it lapsed': async ({ keys }, key) =>
    expectKey(await keys.reclaim(key, makeClaim(FREE_AGAIN))),
  removed: ({ keys }, key) => keys.remove(key),
};

export function describeClientSeats(makeStore: MakeStore): void {
  describe('a claim on a number of the client', () => {
    const test = useStore(makeStore);
    const onNumber = (clientSeat: string, now = NOW) => makeClaim(now, { clientSeat });

    it('notes the number on the key, and a later claim replaces it', async () => {
      const key = await addKey(test.store);
      const first = expectKey(await test.store.keys.claim(onNumber('client.0'), ALL_SLOTS));
      expect(await stored(test.store, key)).toMatchObject({ clientSeat: 'client.0' });
      const second = expectKey(await test.store.keys.reclaim(first, onNumber('client.1', FREE_AGAIN)));
      expect(second.clientSeat).toBe('client.1');
      const third = expectKey(await test.store.keys.reclaim(second, makeClaim(FREE_AGAIN + 100 * SECOND)));
      expect(third.clientSeat).toBeUndefined();
    });

    it('tells that the number is taken, also across pools, and writes nothing', async () => {
      await addLeasedKey(test.store, { pool: OTHER_POOL }, { clientSeat: 'client.0' });
      const free = await addKey(test.store);
      const { keys } = test.store;
      expect(await keys.claim(onNumber('client.0'), ALL_SLOTS)).toBe('client_seat_taken');
      expect(await keys.reclaim(free, onNumber('client.0'))).toBe('client_seat_taken');
      expect(await stored(test.store, free)).toEqual(free);
      expectKey(await keys.claim(onNumber('client.1'), ALL_SLOTS));
    });

    it('tells which of the two stands on another key', async () => {
      await addLeasedKey(test.store, {}, { requestHash: 'hash', clientSeat: 'client.0' });
      await addKey(test.store);
      const claim = (requestHash: string, clientSeat: string) =>
        test.store.keys.claim(makeClaim(NOW, { requestHash, clientSeat }), ALL_SLOTS);
      expect(await claim('hash', 'client.1')).toBe('repeated');
      expect(await claim('another hash', 'client.0')).toBe('client_seat_taken');
      expect(['repeated', 'client_seat_taken']).toContain(await claim('hash', 'client.0'));
    });

    it.each(Object.keys(ENDS))('is free again once the key was %s', async (how) => {
      const key = await addLeasedKey(test.store, {}, { clientSeat: 'client.0' });
      await ENDS[how]?.(test.store, key);
      const left = await test.store.keys.getStored(key.keyId);
      expect(left?.clientSeat).toBeUndefined();
      expect(await test.store.keys.listClientSeats('client.')).toEqual([]);
      await addKey(test.store, { slot: 0.1 });
      expectKey(await test.store.keys.claim(onNumber('client.0'), { from: 0, to: 0.2 }));
    });

    it('is kept by a keep-alive, and by an end that comes too late', async () => {
      const key = await addLeasedKey(test.store, {}, { clientSeat: 'client.0' });
      const extended = expectKey(await test.store.keys.extend(makeExtension(key, NOW + SECOND)));
      expect(extended.clientSeat).toBe('client.0');
      await test.store.keys.unblock(key, NOW);
      await test.store.keys.recordLapses({ lapses: lapsesOf(key), now: FREE_AGAIN - SECOND });
      expect(await stored(test.store, key)).toEqual(extended);
    });

    it('is given once, to as many as ask at once', async () => {
      const keys = Array.from({ length: 20 }, (_, i) => makeKey({ slot: i / 20 }));
      await addKeys(test.store, keys);
      const stores = [test.store, await test.another()];
      await Promise.all(
        Array.from({ length: 20 }, (_, i) =>
          persistently(async () =>
            stores[i % 2]?.keys.claim(onNumber(`client.${i % 4}`), { from: i / 20, to: 2 }),
          ),
        ),
      );
      const held = await test.store.keys.listClientSeats('client.');
      expect(held.map((key) => key.clientSeat).toSorted()).toEqual([0, 1, 2, 3].map((i) => `client.${i}`));
    });
  });

  describe('listClientSeats', () => {
    const test = useStore(makeStore);

    it('returns the keys whose number begins so, whatever has become of the lease, and no other', async () => {
      const hold = (clientSeat: string) => addLeasedKey(test.store, {}, { clientSeat });
      const own = [await hold('abc-_.0'), await hold('abc-_.10'), await hold('abc-_.999')];
      for (const clientSeat of [
        'abc-_',
        'abc-_x.0',
        'ABC-_.0',
        'abc-__.1',
        'abc--.1',
        'xabc-_.1',
        'abc-_/1',
      ]) {
        await hold(clientSeat);
      }
      await addLeasedKey(test.store);
      const found = await test.store.keys.listClientSeats('abc-_.');
      const byNumber = (one: Key, other: Key) => (one.clientSeat ?? '').localeCompare(other.clientSeat ?? '');
      expect(found.toSorted(byNumber)).toEqual(own);
      expect(await test.store.keys.listClientSeats('abc')).not.toHaveLength(0);
      expect(await test.store.keys.listClientSeats('nobody.')).toEqual([]);
    });
  });
}

import { describe, expect, it } from 'vitest';
import type { Key } from '../../../shared/domain/key.ts';
import type { Store } from '../../../shared/domain/store.ts';
import {
  ALL_SLOTS,
  addLeasedKey,
  expectKey,
  FREE_AGAIN,
  KEY_LIFE_MS,
  LEASE_END,
  lapsesOf,
  leaseOf,
  makeClaim,
  makeExtension,
  makeRelease,
  NOW,
  POOL,
  SECOND,
  stored,
  TOLERANCE_MS,
} from './scene.ts';
import { type MakeStore, useStore } from './store-fixture.ts';

/** When the late writes were sent. They are carried out after everything in {@link MEANWHILE}. */
const SENT_AT = NOW + 30 * SECOND;
/** When it happened in between, while the lease was live. */
const THEN = NOW + 40 * SECOND;

/** What may have become of a key, leased at NOW, while a write was on its way. */
const MEANWHILE: Record<string, (store: Store, key: Key) => Promise<unknown>> = {
  released: (store, key) => store.keys.release(makeRelease(key, THEN)),
  unblocked: (store, key) => store.keys.unblock(key, key.freeAt),
  'unblocked by force': (store, key) => store.keys.unblock(key, THEN),
  'recorded as lapsed': (store, key) =>
    store.keys.recordLapse({ keyId: key.keyId, leaseId: leaseOf(key).id, now: LEASE_END }),
  swept: (store, key) => store.keys.recordLapses({ lapses: lapsesOf(key), now: LEASE_END }),
  'released and leased again': async (store, key) => {
    await store.keys.release(makeRelease(key, THEN));
    expectKey(await store.keys.claim(makeClaim(THEN), ALL_SLOTS));
  },
  'unblocked by force and leased again': async (store, key) => {
    await store.keys.unblock(key, THEN);
    expectKey(await store.keys.claim(makeClaim(THEN), ALL_SLOTS));
  },
  'leased again after it lapsed': async (store, key) =>
    expectKey(await store.keys.reclaim(key, makeClaim(FREE_AGAIN))),
  deleted: (store, key) => store.keys.delete(key, key.freeAt),
  removed: async (store, key) => {
    await store.keys.delete(key, THEN);
    await store.keys.removeExpired({ now: THEN, limit: 10 });
  },
};

/** Writes on the lease as it was at SENT_AT; each answers that it did nothing. */
const LATE_WRITES: Record<string, (store: Store, key: Key) => Promise<unknown>> = {
  'a keep-alive': (store, key) => store.keys.extend(makeExtension(key, SENT_AT)),
  'a keep-alive of the last moment': (store, key) => store.keys.extend(makeExtension(key, LEASE_END - 1)),
  'a release': (store, key) => store.keys.release(makeRelease(key, SENT_AT)),
  'an unblock': (store, key) => store.keys.unblock(key, key.freeAt),
  'a forced unblock': (store, key) => store.keys.unblock(key, SENT_AT),
  'a deletion': (store, key) => store.keys.delete(key, key.freeAt),
  'a recorded lapse': (store, key) =>
    store.keys.recordLapse({ keyId: key.keyId, leaseId: leaseOf(key).id, now: LEASE_END }),
  'an acquire': (store) => store.keys.claim(makeClaim(SENT_AT), ALL_SLOTS),
  'an acquire of the key as found': (store, key) => store.keys.reclaim(key, makeClaim(SENT_AT)),
};

export function describeLateWrites(makeStore: MakeStore): void {
  describe.each(Object.keys(MEANWHILE))('after a key was %s', (what) => {
    const test = useStore(makeStore);

    it.each(Object.keys(LATE_WRITES))('%s that is carried out late changes nothing', async (write) => {
      const key = await addLeasedKey(test.store);
      await MEANWHILE[what]?.(test.store, key);
      const before = await test.store.keys.getStored(key.keyId);
      expect(before).not.toEqual(key);
      expect([null, false]).toContain(await LATE_WRITES[write]?.(test.store, key));
      expect(await test.store.keys.getStored(key.keyId)).toEqual(before);
    });
  });

  describe('after a lease was extended', () => {
    const test = useStore(makeStore);

    it.each(Object.keys(LATE_WRITES).filter((write) => write !== 'a release'))(
      '%s that is carried out late changes nothing',
      async (write) => {
        const key = await addLeasedKey(test.store);
        // Further than the late keep-alives would.
        const longer = makeExtension(key, LEASE_END - 1, { now: THEN });
        const extended = expectKey(await test.store.keys.extend(longer));
        await LATE_WRITES[write]?.(test.store, key);
        expect(await stored(test.store, key)).toEqual(extended);
      },
    );
  });

  describe('a late write', () => {
    const test = useStore(makeStore);

    it('of a sweep records no lapse of a lease that was extended or taken over', async () => {
      const extended = await addLeasedKey(test.store);
      await test.store.keys.extend(makeExtension(extended, THEN));
      const taken = await addLeasedKey(test.store);
      await test.store.keys.reclaim(taken, makeClaim(FREE_AGAIN));
      const lapses = lapsesOf(extended, taken);
      expect(await test.store.keys.recordLapses({ lapses, now: LEASE_END })).toBe(0);
    });

    it('of a refresh shortens no life, and brings no deleted key back', async () => {
      const key = await addLeasedKey(test.store);
      const late = { keyId: key.keyId, now: SENT_AT, keyExpiresAt: SENT_AT + KEY_LIFE_MS };
      const later = { keyId: key.keyId, now: THEN, keyExpiresAt: THEN + KEY_LIFE_MS };
      const refreshed = expectKey(await test.store.keys.refresh(later));
      expect(await test.store.keys.refresh(late)).toEqual(refreshed);
      await test.store.keys.delete(refreshed, key.freeAt);
      expect(await test.store.keys.refresh(late)).toBeNull();
      expect((await stored(test.store, key)).expiresAt).toBe(key.freeAt);
    });

    it('of a removal leaves a key that was refreshed', async () => {
      const key = await addLeasedKey(test.store);
      const query = { keyId: key.keyId, now: THEN, keyExpiresAt: key.expiresAt + 1 };
      await test.store.keys.refresh(query);
      expect(await test.store.keys.removeExpired({ now: key.expiresAt, limit: 10 })).toBe(0);
    });

    it('of an acquire leases a key that was released later within the tolerance, and none after it', async () => {
      const key = await addLeasedKey(test.store);
      await test.store.keys.release(makeRelease(key, THEN));
      const sentAt = THEN - TOLERANCE_MS;
      expect(await test.store.keys.claim(makeClaim(sentAt - 1), ALL_SLOTS)).toBeNull();
      const list = (now: number) => test.store.keys.listClaimable({ pool: POOL, now, limit: 16 });
      expect(await list(sentAt - 1)).toEqual({ keys: [], nextFreeAt: sentAt });
      expect((await list(sentAt)).keys).toHaveLength(1);
      expectKey(await test.store.keys.claim(makeClaim(sentAt), ALL_SLOTS));
    });
  });
}

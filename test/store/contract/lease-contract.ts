import { describe, expect, it } from 'vitest';
import type { Key } from '../../../shared/domain/key.ts';
import type { Release } from '../../../shared/domain/store.ts';
import {
  ALL_SLOTS,
  addKey,
  addLeasedKey,
  expectKey,
  FREE_AGAIN,
  KEY_LIFE_MS,
  LEASE_END,
  LEASE_MS,
  lastLeaseOf,
  leaseOf,
  makeClaim,
  makeExtension,
  makeKey,
  makeRelease,
  NOW,
  OTHER_POOL,
  POOL,
  SECOND,
  stored,
  TOLERANCE_MS,
  withoutLease,
} from './scene.ts';
import { type MakeStore, useStore } from './store-fixture.ts';

/** Everything that makes a keep-alive or a release not that of the holder of a live lease. */
const NOT_THE_HOLDER: Record<string, (key: Key) => Partial<Release>> = {
  'from another client': () => ({ clientId: 'another client' }),
  'with another lease id': (key) => ({ leaseId: `${leaseOf(key).id}x` }),
  'for another key': () => ({ keyId: 'another key' }),
  'for another pool': () => ({ pool: OTHER_POOL }),
  'at the end of the lease': () => ({ now: LEASE_END }),
};

export function describeLeases(makeStore: MakeStore): void {
  describe('extend', () => {
    const test = useStore(makeStore);

    it('moves the ends of a live lease and of its key forward, and nothing else', async () => {
      const key = await addLeasedKey(test.store, { value: 'secret' }, { requestHash: 'hash' });
      const extension = makeExtension(key, NOW + 20 * SECOND);
      const extended = await test.store.keys.extend(extension);
      expect(extended).toEqual({
        ...key,
        lease: { ...key.lease, expiresAt: extension.leaseExpiresAt },
        freeAt: extension.freeAt,
        expiresAt: extension.keyExpiresAt,
      });
      expect(await stored(test.store, key)).toEqual(extended);
    });

    it('works until the last millisecond of the lease', async () => {
      const key = await addLeasedKey(test.store);
      expect(await test.store.keys.extend(makeExtension(key, LEASE_END - 1))).not.toBeNull();
    });

    it.each(Object.keys(NOT_THE_HOLDER))('refuses a keep-alive %s', async (which) => {
      const key = await addLeasedKey(test.store);
      const extension = makeExtension(key, NOW + SECOND, NOT_THE_HOLDER[which]?.(key));
      expect(await test.store.keys.extend(extension)).toBeNull();
      expect(await stored(test.store, key)).toEqual(key);
    });

    it('shortens none of the three ends', async () => {
      const key = await addLeasedKey(test.store);
      const later = makeExtension(key, NOW + 20 * SECOND);
      const extended = await test.store.keys.extend(later);
      for (const end of ['leaseExpiresAt', 'freeAt', 'keyExpiresAt'] as const) {
        const earlier = { ...later, [end]: later[end] - 10 * SECOND };
        expect(await test.store.keys.extend(earlier)).toEqual(extended);
      }
    });

    it('moves each end forward by itself', async () => {
      const key = await addLeasedKey(test.store, { expiresAt: NOW + 2 * KEY_LIFE_MS });
      const extension = makeExtension(key, NOW + 20 * SECOND);
      expect(await test.store.keys.extend(extension)).toMatchObject({
        lease: { expiresAt: extension.leaseExpiresAt },
        freeAt: extension.freeAt,
        expiresAt: NOW + 2 * KEY_LIFE_MS,
      });
    });
  });

  describe('release', () => {
    const test = useStore(makeStore);

    it('ends the lease and frees the key at once, also for clocks within the tolerance behind', async () => {
      const key = await addLeasedKey(test.store, {}, { requestHash: 'hash' });
      expect(await test.store.keys.release(makeRelease(key, NOW + SECOND))).toEqual({ acquiredAt: NOW });
      expect(await stored(test.store, key)).toEqual({
        ...withoutLease(key),
        state: 'free',
        freeAt: NOW + SECOND - TOLERANCE_MS,
        lastLease: lastLeaseOf(key, 'released'),
      });
      expectKey(await test.store.keys.claim(makeClaim(NOW + SECOND - TOLERANCE_MS), ALL_SLOTS));
    });

    it('lets the key rest first, which lives as long as it rests', async () => {
      const { expiresAt } = await addKey(test.store);
      for (const freeAt of [NOW + 30 * SECOND, expiresAt + SECOND]) {
        const key = await addLeasedKey(test.store);
        expect(await test.store.keys.release(makeRelease(key, NOW, { freeAt }))).toEqual({ acquiredAt: NOW });
        expect(await stored(test.store, key)).toEqual({
          ...withoutLease(key),
          state: 'free',
          freeAt,
          expiresAt: Math.max(expiresAt, freeAt),
          lastLease: lastLeaseOf(key, 'released'),
        });
      }
    });

    it('forgets the request on demand, so that the same one is new', async () => {
      const key = await addLeasedKey(test.store, {}, { requestHash: 'hash', requestBody: 'body' });
      await test.store.keys.release(makeRelease(key, NOW, { forget: true }));
      const { requestHash: _, requestBody: __, ...forgetful } = await stored(test.store, key);
      expect(await stored(test.store, key)).toEqual(forgetful);
      expect(forgetful).toMatchObject({ state: 'free', lastLease: lastLeaseOf(key, 'released') });
      expectKey(await test.store.keys.claim(makeClaim(NOW, { requestHash: 'hash' }), ALL_SLOTS));
    });

    it('deletes a key that is discarded, which remembers its release and not the request', async () => {
      const claim = { requestHash: 'hash', requestBody: 'body' };
      const key = await addLeasedKey(test.store, { seat: 3, value: 'sealed', valueHash: 'value' }, claim);
      const freeAt = NOW - TOLERANCE_MS;
      expect(await test.store.keys.release(makeRelease(key, NOW, { discard: true }))).toEqual({
        acquiredAt: NOW,
      });
      const { requestHash: _, requestBody: __, ...rest } = withoutLease(key);
      const discarded = { ...rest, state: 'deleted', freeAt, expiresAt: freeAt };
      expect(await stored(test.store, key)).toEqual({
        ...discarded,
        lastLease: lastLeaseOf(key, 'released'),
      });
      expect(await test.store.keys.get(key.keyId, NOW - SECOND)).toBeNull();
      expect(await test.store.keys.claim(makeClaim(NOW), ALL_SLOTS)).toBeNull();
      expect(await test.store.keys.release(makeRelease(key, NOW, { discard: true }))).toBeNull();
    });

    it.each(Object.keys(NOT_THE_HOLDER))('refuses a release %s', async (which) => {
      const key = await addLeasedKey(test.store);
      const release = makeRelease(key, NOW + SECOND, NOT_THE_HOLDER[which]?.(key));
      for (const outcome of [{}, { discard: true }, { forget: true, freeAt: NOW + SECOND }]) {
        expect(await test.store.keys.release({ ...release, ...outcome })).toBeNull();
      }
      expect(await stored(test.store, key)).toEqual(key);
    });

    it('is done once', async () => {
      const key = await addLeasedKey(test.store);
      const stores = [test.store, await test.another()];
      const released = await Promise.all(
        Array.from({ length: 8 }, (_, i) => stores[i % 2]?.keys.release(makeRelease(key, NOW + i))),
      );
      expect(released.filter(Boolean)).toHaveLength(1);
    });
  });

  describe('recordLapse', () => {
    const test = useStore(makeStore);

    it('ends a lease at its end; the key still cools', async () => {
      const key = await addLeasedKey(test.store, {}, { requestHash: 'hash' });
      const query = { keyId: key.keyId, leaseId: leaseOf(key).id, now: LEASE_END };
      expect(await test.store.keys.recordLapse(query)).toBe(true);
      expect(await stored(test.store, key)).toEqual({
        ...withoutLease(key),
        state: 'free',
        lastLease: lastLeaseOf(key, 'lapsed'),
      });
    });

    it('leaves a live lease alone, and one that is not meant', async () => {
      const key = await addLeasedKey(test.store);
      const query = { keyId: key.keyId, leaseId: leaseOf(key).id, now: LEASE_END };
      expect(await test.store.keys.recordLapse({ ...query, now: LEASE_END - 1 })).toBe(false);
      expect(await test.store.keys.recordLapse({ ...query, leaseId: 'another lease' })).toBe(false);
      expect(await test.store.keys.recordLapse({ ...query, keyId: 'another key' })).toBe(false);
      expect(await stored(test.store, key)).toEqual(key);
    });

    it('records the lapse of a key that has expired', async () => {
      const key = await addLeasedKey(test.store, {}, { keyExpiresAt: LEASE_END + SECOND });
      const now = NOW + KEY_LIFE_MS + LEASE_MS;
      expect(await test.store.keys.get(key.keyId, now)).toBeNull();
      expect(await test.store.keys.recordLapse({ keyId: key.keyId, leaseId: leaseOf(key).id, now })).toBe(
        true,
      );
    });
  });

  describe('setLabels', () => {
    const test = useStore(makeStore);
    const labels = { account: 'ops@example', 'a.b': '$set: {}', $: 'not a name, but kept', note: 'ü "\'☃' };
    const set = (key: Key, now = NOW) => test.store.keys.setLabels({ keyId: key.keyId, now, labels });

    it('replaces the labels, of a free and of a leased key, and nothing else', async () => {
      for (const key of [
        await addKey(test.store),
        await addLeasedKey(test.store, { labels: { old: 'x' } }),
      ]) {
        expect(await set(key)).toEqual({ ...key, labels });
        expect(await stored(test.store, key)).toEqual({ ...key, labels });
        expect(await test.store.keys.list({ pool: POOL, now: NOW, limit: 1, search: 'ops@' })).toMatchObject({
          keys: [{ labels }],
        });
        await test.store.keys.delete(await stored(test.store, key), NOW);
      }
    });

    it('keeps those that a key was created with, and can leave none', async () => {
      const key = await addKey(test.store, { labels });
      expect(await stored(test.store, key)).toEqual(key);
      const none = await test.store.keys.setLabels({ keyId: key.keyId, now: NOW, labels: {} });
      expect(none?.labels ?? {}).toEqual({});
      expect((await stored(test.store, key)).labels ?? {}).toEqual({});
    });

    it('leaves an expired, a deleted and an unknown key alone', async () => {
      const key = await addKey(test.store);
      expect(await set(key, key.expiresAt)).toBeNull();
      await test.store.keys.delete(key, FREE_AGAIN);
      expect(await set(key)).toBeNull();
      expect((await stored(test.store, key)).labels).toBeUndefined();
      expect(await set(makeKey())).toBeNull();
    });

    it('is kept through leases', async () => {
      const key = await addKey(test.store, { labels });
      const leased = expectKey(await test.store.keys.claim(makeClaim(NOW), ALL_SLOTS));
      expect(leased.labels).toEqual(labels);
      await test.store.keys.release(makeRelease(leased, NOW));
      expect((await stored(test.store, key)).labels).toEqual(labels);
    });
  });

  describe('refresh', () => {
    const test = useStore(makeStore);

    it('moves the hard expiration forward, of a free and of a leased key', async () => {
      for (const key of [await addKey(test.store), await addLeasedKey(test.store)]) {
        const keyExpiresAt = NOW + KEY_LIFE_MS + SECOND;
        const refreshed = await test.store.keys.refresh({
          keyId: key.keyId,
          now: NOW + SECOND,
          keyExpiresAt,
        });
        expect(refreshed).toEqual({ ...key, expiresAt: keyExpiresAt });
        expect(await stored(test.store, key)).toEqual(refreshed);
      }
    });

    it('never moves it back', async () => {
      const key = await addKey(test.store);
      const query = { keyId: key.keyId, now: NOW, keyExpiresAt: key.expiresAt - SECOND };
      expect(await test.store.keys.refresh(query)).toEqual(key);
    });

    it('does not bring back an expired, a deleted or an unknown key', async () => {
      const { keyId, expiresAt } = await addKey(test.store);
      const query = { keyId, now: expiresAt, keyExpiresAt: expiresAt + KEY_LIFE_MS };
      expect(await test.store.keys.refresh(query)).toBeNull();
      const deleted = await addKey(test.store);
      await test.store.keys.delete(deleted, NOW + SECOND);
      expect(await test.store.keys.refresh({ ...query, keyId: deleted.keyId, now: NOW })).toBeNull();
      expect((await stored(test.store, deleted)).expiresAt).toBe(NOW + SECOND);
      expect(await test.store.keys.refresh({ ...query, keyId: 'unknown', now: NOW })).toBeNull();
    });
  });
}

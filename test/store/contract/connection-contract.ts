import { describe, expect, it } from 'vitest';
import {
  ALL_SLOTS,
  addKey,
  expectKey,
  makeClaim,
  makeExtension,
  makeRelease,
  NOW,
  POLICY,
  SECOND,
  stored,
} from './scene.ts';
import { type MakeStore, useStore } from './store-fixture.ts';

export function describeConnections(makeStore: MakeStore): void {
  describe('two stores on one database', () => {
    const test = useStore(makeStore);

    it('see each other’s writes at once', async () => {
      const other = await test.another();
      const key = await addKey(test.store);
      const claimed = expectKey(await other.keys.claim(makeClaim(NOW), ALL_SLOTS));
      expect(await stored(test.store, key)).toEqual(claimed);
      const extended = await test.store.keys.extend(makeExtension(claimed, NOW + SECOND));
      expect(await stored(other, key)).toEqual(extended);
      expect(await other.keys.release(makeRelease(claimed, NOW + 2 * SECOND))).toEqual({ acquiredAt: NOW });
      expect(await test.store.keys.release(makeRelease(claimed, NOW + 2 * SECOND))).toBeNull();
      await test.store.pools.create('build', POLICY, NOW);
      expect(await other.pools.get('build')).toMatchObject({ policy: POLICY });
    });
  });

  describe('a store', () => {
    const test = useStore(makeStore);

    it('answers a ping', async () => {
      await expect(test.store.ping()).resolves.toBeUndefined();
    });

    it('can be closed twice', async () => {
      const other = await test.another();
      await other.close();
      await expect(other.close()).resolves.toBeUndefined();
    });
  });
}

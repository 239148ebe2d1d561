import { describe, expect, it } from 'vitest';
import { addKey, expectKey, makeClaim, makeExtension, makeRelease, NOW, SECOND, stored } from './scene.ts';
import { type MakeStore, useStore } from './store-fixture.ts';

const POLICY = { leaseSeconds: 10, keyTtlSeconds: null, maxKeys: null, paused: false };

export function describeConnections(makeStore: MakeStore): void {
  describe('two stores on one database', () => {
    const test = useStore(makeStore);

    it('see each other’s writes at once', async () => {
      const other = await test.another();
      const key = await addKey(test.store);
      const claimed = expectKey(await other.keys.claim(makeClaim(NOW), 0));
      expect(await stored(test.store, key)).toStrictEqual(claimed);
      const extended = await test.store.keys.extend(makeExtension(claimed, NOW + SECOND));
      expect(await stored(other, key)).toStrictEqual(extended);
      expect(await other.keys.release(makeRelease(claimed, NOW + 2 * SECOND))).toBe(true);
      expect(await test.store.keys.release(makeRelease(claimed, NOW + 2 * SECOND))).toBe(false);
      await test.store.pools.put('build', POLICY, NOW);
      expect(await other.pools.find('build')).toMatchObject(POLICY);
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

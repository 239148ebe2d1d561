import { expect, it } from 'vitest';
import { addKey, addKeys, expectKey, makeClaim, makeKey, NOW, POOL, SECOND } from './contract/scene.ts';
import { makeSqliteStore } from './sqlite-fixture.ts';
import { describeStoreContract } from './store-contract.ts';

describeStoreContract('the SQLite store', makeSqliteStore);

it('a claim looks at a hundred keys at the most; the second step of an acquire finds what it leaves', async () => {
  const { store, dispose } = await makeSqliteStore();
  const cooling = Array.from({ length: 99 }, () => makeKey({ slot: 0.1, freeAt: NOW + SECOND }));
  await addKeys(store, cooling);
  const first = await addKey(store, { slot: 0.8 });
  const second = await addKey(store, { slot: 0.9 });
  const claim = () => store.keys.claim(makeClaim(NOW), { from: 0, to: 1 });
  expect(expectKey(await claim()).keyId).toBe(first.keyId);
  await addKey(store, { slot: 0.1, freeAt: NOW + SECOND });
  expect(await claim()).toBeNull();
  const { keys } = await store.keys.listClaimable({ pool: POOL, now: NOW, limit: 16 });
  expect(keys).toEqual([second]);
  await dispose();
});

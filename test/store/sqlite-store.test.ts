import { expect, it } from 'vitest';
import { acquireLease } from '../../shared/domain/leases/acquire-lease.ts';
import { DEFAULT_POOL, poolReference } from '../../shared/domain/pool.ts';
import { PoolDirectory } from '../../shared/domain/pools/pool-directory.ts';
import { addKey, addKeys, makeClaim, makeKey, NOW, SECOND } from './contract/scene.ts';
import { makeSqliteStore } from './sqlite-fixture.ts';
import { describeStoreContract } from './store-contract.ts';

describeStoreContract('the SQLite store', makeSqliteStore);

it('an acquire finds the one free key among hundreds that cool, though a claim does not look that far', async () => {
  const { store, dispose } = await makeSqliteStore();
  const pools = new PoolDirectory(store.pools);
  const pool = poolReference(await pools.get(DEFAULT_POOL, NOW));
  const cooling = Array.from({ length: 300 }, () => makeKey({ pool, slot: 0.1, freeAt: NOW + SECOND }));
  await addKeys(store, cooling);
  const free = await addKey(store, { pool, slot: 0.9 });
  expect(await store.keys.claim(makeClaim(NOW, { pool }), 0)).toBeNull();
  const context = { store, pools, clock: () => NOW, clockSkewToleranceMs: SECOND };
  const { lease } = await acquireLease(
    context,
    { clientId: 'client', role: 'client' },
    { pool: DEFAULT_POOL },
  );
  expect(lease.keyId).toBe(free.keyId);
  await dispose();
});

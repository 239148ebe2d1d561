import { expect, it } from 'vitest';
import { getPool } from '../../shared/domain/pools.ts';
import { describeOnEveryStore } from './support/every-store.ts';
import { ADMIN, ALICE, acquire, addKeys, setPolicy } from './support/world.ts';

describeOnEveryStore((world) => {
  it('counts are exact up to 10,000, and beyond that at least 10,000', async () => {
    await setPolicy(world.context, { keyTtlSeconds: null });
    for (let added = 0; added < 10_000; added += 1000) await addKeys(world.context, 1000);
    const counts = async () => (await getPool(world.context, ADMIN, 'default')).counts;
    expect((await counts()).free).toEqual({ count: 10_000, relation: 'exact' });

    await addKeys(world.context, 2);
    await acquire(world.context, ALICE);

    expect(await counts()).toEqual({
      free: { count: 10_000, relation: 'atLeast' },
      leased: { count: 1, relation: 'exact' },
      cooling: { count: 0, relation: 'exact' },
    });
  });
});

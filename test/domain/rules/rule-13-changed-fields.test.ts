import { describe, expect, it } from 'vitest';
import type { PoolPolicy } from '../../../shared/contract/pools.ts';
import { DEFAULT_POLICY } from '../../../shared/domain/pool.ts';
import { deletePool, getPool, patchPool, putPool } from '../../../shared/domain/pools.ts';
import { describeOnEveryStore } from '../support/every-store.ts';
import { invalid, POOL_CHANGED, POOL_NOT_FOUND } from '../support/expected-errors.ts';
import { interruptAfter } from '../support/interrupt.ts';
import { persistently } from '../support/persistently.ts';
import { ADMIN, SECOND } from '../support/world.ts';

const POOL = 'licences';

/** No field has its default. */
const STRICT = { leaseSeconds: 20, keyTtlSeconds: 600, maxKeys: 7, paused: true } satisfies PoolPolicy;
const OTHER = { leaseSeconds: 30, keyTtlSeconds: null, maxKeys: null, paused: false } satisfies PoolPolicy;
const FIELDS = Object.keys(STRICT) as (keyof PoolPolicy)[];

describeOnEveryStore((world) => {
  const put = (policy: Partial<PoolPolicy>, expectedUpdatedAt?: number, context = world.context) =>
    putPool(context, ADMIN, POOL, { policy, expectedUpdatedAt });
  const patch = (policy: Partial<PoolPolicy>, expectedUpdatedAt?: number, context = world.context) =>
    patchPool(context, ADMIN, POOL, { policy, expectedUpdatedAt });
  const stored = async () => await world.store.pools.get(POOL);
  const updatedAt = async () => (await stored())?.updatedAt as number;

  describe('Rule 13: changing one field changes no other', () => {
    it.each(FIELDS)('a patch of %s leaves the others as they are', async (field) => {
      await put(STRICT);

      const patched = await patch({
        ...Object.fromEntries(FIELDS.map((each) => [each, undefined])),
        [field]: OTHER[field],
      });

      const expected = { ...STRICT, [field]: OTHER[field] };
      expect(patched).toMatchObject(expected);
      expect(await getPool(world.context, ADMIN, POOL)).toMatchObject(expected);
      expect((await stored())?.policy).toEqual(expected);
    });

    it('a patch of nothing leaves the policy as it is', async () => {
      await put(STRICT);

      expect(await patch({})).toMatchObject(STRICT);
    });

    it('a put gives what is left out its default', async () => {
      await put(STRICT);

      expect((await put({ maxKeys: 3 })).pool).toMatchObject({ ...DEFAULT_POLICY, maxKeys: 3 });
    });

    it('two patches of different fields at once both stand', async () => {
      await put(STRICT);
      const slow = interruptAfter(world.context, 'pools.get', () => patch({ maxKeys: 1 }));
      await patch({ paused: false }, undefined, slow);
      expect((await stored())?.policy).toEqual({ ...STRICT, maxKeys: 1, paused: false });

      const other = await world.startProcess();
      await Promise.all([
        persistently(() => patch({ leaseSeconds: 5 })),
        persistently(() => patch({ keyTtlSeconds: null }, undefined, other)),
        persistently(() => patch({ paused: true }, undefined, other)),
      ]);

      expect((await stored())?.policy).toEqual({
        ...STRICT,
        leaseSeconds: 5,
        keyTtlSeconds: null,
        maxKeys: 1,
        paused: true,
      });
    });

    it('a patch that would leave keys to expire under a lease is refused by what stands, and changes nothing', async () => {
      await put(STRICT);
      const before = await stored();

      for (const change of [{ leaseSeconds: 600 }, { leaseSeconds: 599 }, { keyTtlSeconds: 21 }]) {
        await expect(patch(change)).rejects.toMatchObject(invalid('keyTtlSeconds'));
      }
      expect(await stored()).toEqual(before);
      expect(await patch({ leaseSeconds: 599, keyTtlSeconds: null })).toMatchObject({ leaseSeconds: 599 });
    });
  });

  describe('Rule 13: a change of a pool that was changed since it was read', () => {
    it.each([
      ['patch', patch],
      ['put', put],
    ])('is refused to a %s, within the same millisecond too, and nothing is done', async (_name, change) => {
      await put(STRICT);
      const read = await updatedAt();

      expect(await change({ ...STRICT, maxKeys: 8 }, read)).toBeDefined();
      const before = await stored();
      await expect(change({ ...STRICT, maxKeys: 9 }, read)).rejects.toMatchObject(POOL_CHANGED);
      expect(await stored()).toEqual(before);
      world.passTime(SECOND);
      await expect(change({ ...STRICT, maxKeys: 9 }, read)).rejects.toMatchObject(POOL_CHANGED);
      await change({ ...STRICT, maxKeys: 9 }, await updatedAt());
      expect((await stored())?.policy).toEqual({ ...STRICT, maxKeys: 9 });
    });

    it.each([
      ['patch', patch],
      ['put', put],
    ])('is refused to a %s whose look was in time', async (_name, change) => {
      await put(STRICT);
      const slow = interruptAfter(world.context, 'pools.get', () => patch({ maxKeys: 1 }));

      await expect(change(STRICT, await updatedAt(), slow)).rejects.toMatchObject(POOL_CHANGED);
      expect((await stored())?.policy).toEqual({ ...STRICT, maxKeys: 1 });
    });

    it('is refused where the pool is gone, or was made again', async () => {
      await put(STRICT);
      const read = await updatedAt();
      await deletePool(world.context, ADMIN, POOL);
      await expect(put(STRICT, read)).rejects.toMatchObject(POOL_CHANGED);
      await expect(patch({}, read)).rejects.toMatchObject(POOL_NOT_FOUND);
      world.passTime(1);
      await put(STRICT);

      await expect(put(STRICT, read)).rejects.toMatchObject(POOL_CHANGED);
      await expect(patch({}, read)).rejects.toMatchObject(POOL_CHANGED);
    });

    it('is made on the pool as it is now where nothing was expected', async () => {
      await put(STRICT);
      const slow = interruptAfter(world.context, 'pools.get', async () => {
        await deletePool(world.context, ADMIN, POOL);
        await put({ maxKeys: 2 });
      });

      expect(await patch({ paused: true }, undefined, slow)).toMatchObject({
        ...DEFAULT_POLICY,
        maxKeys: 2,
        paused: true,
      });
    });
  });

  it('updatedAt grows with every change, also within a millisecond and by a clock that is behind', async () => {
    await put(STRICT);
    const behind = await world.startProcess({ clockAheadMs: -900 });
    const moments = [await updatedAt()];
    for (const context of [world.context, behind, world.context, behind]) {
      await patch({}, undefined, context);
      moments.push(await updatedAt());
    }

    expect(new Set(moments).size).toBe(5);
    expect(moments).toEqual([...moments].sort((one, other) => one - other));
  });
});

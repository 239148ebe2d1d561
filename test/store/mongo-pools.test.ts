import { beforeEach, expect, it } from 'vitest';
import { DEFAULT_POLICY, type Pool, type PoolPolicy } from '../../shared/domain/pool.ts';
import { describeWithMongoDb } from '../support/mongodb.ts';
import { NOW, POLICY, SECOND } from './contract/scene.ts';
import { useStore } from './contract/store-fixture.ts';
import { makeMongoStore } from './mongo-fixture.ts';

const OLD_POLICY: PoolPolicy = {
  ...DEFAULT_POLICY,
  leaseSeconds: 20,
  keyTtlSeconds: null,
  maxKeys: 5,
  paused: true,
};

describeWithMongoDb('pools that the version before stored', (database) => {
  const test = useStore(makeMongoStore(database));
  const documents = database.db.collection<{ _id: string; policy?: PoolPolicy }>('pools');
  const old: Pool = { name: 'build', generation: 7, policy: OLD_POLICY, createdAt: NOW, updatedAt: NOW };

  /** The fields of its policy are fields of the document. */
  beforeEach(async () => {
    const at = new Date(NOW);
    const common = { ...OLD_POLICY, generation: 7, createdAt: at, updatedAt: at };
    await documents.insertMany([
      { _id: 'build', ...common },
      { _id: 'cleared', ...common, clearedAt: at },
      { _id: 'deleted', ...common, clearedAt: at, deletedAt: at },
    ] as { _id: string }[]);
  });

  it('are read with their policy', async () => {
    expect(await test.store.pools.get('build')).toEqual(old);
    expect(await test.store.pools.list({ limit: 2 })).toEqual([
      old,
      { ...old, name: 'cleared', clearedAt: NOW },
    ]);
    expect(await test.store.pools.get('deleted')).toBeNull();
    expect((await test.store.pools.listCleared()).map(({ name }) => name)).toEqual(['cleared', 'deleted']);
  });

  it('that lack a field have its default', async () => {
    await documents.updateOne({ _id: 'build' }, { $unset: { maxKeys: '', leaseSeconds: '' } });
    const { leaseSeconds, maxKeys } = DEFAULT_POLICY;
    expect(await test.store.pools.get('build')).toMatchObject({
      policy: { ...OLD_POLICY, leaseSeconds, maxKeys },
    });
  });

  it('are changed as found, and then have a policy of their own', async () => {
    const updated = await test.store.pools.update(old, { policy: POLICY, now: NOW + SECOND });
    expect(updated).toEqual({ ...old, policy: POLICY, updatedAt: NOW + SECOND });
    expect(await test.store.pools.get('build')).toEqual(updated);
    expect(await documents.findOne({ _id: 'build' })).toMatchObject({ policy: POLICY });
    expect(await test.store.pools.update(old, { policy: OLD_POLICY, now: NOW + SECOND })).toBeNull();
  });

  it('are refreshed and cleared', async () => {
    expect(await test.store.pools.requestRefresh(old, NOW + SECOND)).toBe(true);
    expect(await test.store.pools.get('build')).toEqual({ ...old, refreshedAt: NOW + SECOND });
    expect(await test.store.pools.clear(old, { generation: 8, now: NOW + SECOND, deleted: false })).toBe(
      true,
    );
    expect(await test.store.pools.get('build')).toEqual({ ...old, generation: 8, clearedAt: NOW + SECOND });
  });

  it('stand in the way of their creation, unless they were deleted', async () => {
    expect(await test.store.pools.create('build', POLICY, NOW + SECOND)).toBeNull();
    expect(await test.store.pools.create('deleted', POLICY, NOW + SECOND)).toEqual({
      name: 'deleted',
      generation: 7,
      policy: POLICY,
      createdAt: NOW + SECOND,
      updatedAt: NOW + SECOND,
      clearedAt: NOW,
    });
  });
});

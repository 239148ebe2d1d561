import { describe, expect, it } from 'vitest';
import { createKeys } from '../../../shared/domain/create-keys.ts';
import { deleteKey, getKey, listKeys, patchKey } from '../../../shared/domain/keys.ts';
import { getLease } from '../../../shared/domain/leases.ts';
import { deletePool } from '../../../shared/domain/pools.ts';
import { describeOnEveryStore } from '../support/every-store.ts';
import { FORBIDDEN, KEY_NOT_FOUND } from '../support/expected-errors.ts';
import { ADMIN, ALICE, acquire, addKey, KEY_LIFE, setPolicy, withVault } from '../support/world.ts';

const LABELS = { region: 'eu', account: 'ops' };

describeOnEveryStore((world) => {
  const create = async (labels?: Record<string, string>) => {
    const { keys } = await createKeys(world.context, ADMIN, { pool: 'default', count: 1, labels });
    return keys[0]?.keyId as string;
  };

  describe('labels', () => {
    it('are shown in the key and to the holder of its lease', async () => {
      const keyId = await create(LABELS);
      const { leaseId, labels } = await acquire(world.context, ALICE);

      expect(labels).toEqual(LABELS);
      expect((await getLease(world.context, ALICE, leaseId)).labels).toEqual(LABELS);
      expect((await getKey(world.context, ADMIN, keyId)).labels).toEqual(LABELS);
      expect((await listKeys(world.context, ADMIN, { pool: 'default', limit: 1 })).keys).toMatchObject([
        { labels: LABELS },
      ]);
    });

    it('of an import are those of each value, or else those of the request', async () => {
      const context = withVault(world.context, { id: 'a', secret: 'a secret of at least 32 characters' });
      const values = [{ value: 'one' }, { value: 'two', labels: { note: 'own' } }];
      const { keys } = await createKeys(context, ADMIN, { pool: 'default', labels: LABELS, values });
      expect(keys.map(({ labels }) => labels)).toEqual([LABELS, { note: 'own' }]);
    });

    it('are replaced as a whole, also while the key is leased, and change nothing else', async () => {
      const keyId = await create(LABELS);
      const { leaseId } = await acquire(world.context, ALICE);
      const before = await getKey(world.context, ADMIN, keyId);

      const patched = await patchKey(world.context, ADMIN, keyId, { labels: { note: 'new' } });
      expect(patched).toEqual({ ...before, labels: { note: 'new' } });
      expect((await getLease(world.context, ALICE, leaseId)).labels).toEqual({ note: 'new' });
      expect((await patchKey(world.context, ADMIN, keyId, { labels: {} })).labels ?? {}).toEqual({});
    });

    it('find the key', async () => {
      const keyId = await create(LABELS);
      await create({ region: 'us' });
      const search = async (text: string) => {
        const { keys } = await listKeys(world.context, ADMIN, { pool: 'default', limit: 9, search: text });
        return keys.map((key) => key.keyId);
      };
      expect(await search('REGION=EU')).toEqual([keyId]);
      expect(await search('region=')).toHaveLength(2);
      expect(await search('account=opsx')).toEqual([]);
    });

    it('are written on no key that is gone, and by no credential that is limited to other pools', async () => {
      const patch = (keyId: string, caller = ADMIN) =>
        patchKey(world.context, caller, keyId, { labels: LABELS });
      const keyId = await create();
      await expect(patch(keyId, { ...ADMIN, pools: ['licences'] })).rejects.toMatchObject(FORBIDDEN);
      await deleteKey(world.context, ADMIN, keyId, { force: true });
      const expired = await addKey(world.context);
      world.passTime(KEY_LIFE);
      await setPolicy(world.context, {}, 'licences');
      const former = await addKey(world.context, 'licences');
      await deletePool(world.context, ADMIN, 'licences');

      for (const gone of [keyId, expired, former, 'unknown']) {
        await expect(patch(gone)).rejects.toMatchObject(KEY_NOT_FOUND);
      }
    });
  });
});

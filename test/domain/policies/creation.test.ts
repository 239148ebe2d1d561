import { describe, expect, it } from 'vitest';
import { type CreateKeysRequest, createKeys } from '../../../shared/domain/create-keys.ts';
import { DatabaseUnavailableError } from '../../../shared/domain/errors.ts';
import { deleteKey, listKeys } from '../../../shared/domain/keys.ts';
import { releaseLease } from '../../../shared/domain/leases.ts';
import { deletePool } from '../../../shared/domain/pools.ts';
import { watchStore } from '../../support/watch-store.ts';
import { describeOnEveryStore } from '../support/every-store.ts';
import { IDEMPOTENCY_KEY_REUSED, POOL_FULL, valueExists } from '../support/expected-errors.ts';
import { interruptAfter } from '../support/interrupt.ts';
import { persistently } from '../support/persistently.ts';
import { ADMIN, ALICE, acquire, SECOND, setPolicy, startProcess, withVault } from '../support/world.ts';

const VAULT_KEY = { id: 'first', secret: 'a secret of at least 32 characters' };
const NEXT_KEY = { id: 'next', secret: 'another secret of 32 characters !' };
const DAY = 86_400 * SECOND;

const REQUESTS: Record<string, Partial<CreateKeysRequest>> = {
  'keys without a value': { count: 3 },
  values: { values: [{ value: 'sk-1' }, { value: 'sk-2', labels: { account: 'ops' } }, { value: 'sk-3' }] },
};

describeOnEveryStore((world) => {
  const vaulted = () => withVault(world.context, VAULT_KEY);
  const create = (request: Partial<CreateKeysRequest> = REQUESTS.values ?? {}, context = vaulted()) =>
    createKeys(context, ADMIN, { pool: 'default', idempotencyKey: 'once', ...request });
  const ids = ({ keys }: { keys: readonly { keyId: string }[] }) => keys.map(({ keyId }) => keyId);
  const listed = async () =>
    ids(await listKeys(world.context, ADMIN, { pool: 'default', limit: 100 })).toSorted();

  describe.each(Object.keys(REQUESTS))('the creation of %s with an idempotency key', (kind) => {
    const request = REQUESTS[kind] as Partial<CreateKeysRequest>;

    it('creates nothing twice, and returns the same keys in the same order', async () => {
      const first = await create(request);
      world.passTime(10 * SECOND);

      const second = await create(request);
      expect(first.repeated).toBe(false);
      expect(second.repeated).toBe(true);
      expect(ids(second)).toEqual(ids(first));
      expect(second.keys.map(({ labels }) => labels)).toEqual(first.keys.map(({ labels }) => labels));
      expect(await listed()).toEqual(ids(first).toSorted());
    });

    it('returns those that still stand', async () => {
      const first = await create(request);
      await deleteKey(world.context, ADMIN, ids(first)[1] as string, { force: true });

      expect(ids(await create(request))).toEqual([ids(first)[0], ids(first)[2]]);
    });

    it('shows them as they are by then', async () => {
      await create(request);
      const { keyId, leaseId } = await acquire(vaulted(), ALICE);

      const { keys } = await create(request);
      expect(keys.find((key) => key.keyId === keyId)).toMatchObject({ state: 'leased' });
      await releaseLease(world.context, ALICE, leaseId);
    });

    it('is one creation for as many as send it at once', async () => {
      const other = withVault(await world.startProcess(), VAULT_KEY);

      const created = await Promise.all(
        Array.from({ length: 16 }, (_, index) =>
          persistently(() => create(request, index % 2 === 0 ? vaulted() : other)),
        ),
      );

      for (const each of created) expect(ids(each)).toEqual(ids(created[0] as never));
      expect(created.filter(({ repeated }) => !repeated).length).toBeLessThanOrEqual(1);
      expect(await listed()).toHaveLength(3);
    });

    it('is one in a pool that it fills, too', async () => {
      await setPolicy(world.context, { maxKeys: 3 });
      for (const verb of ['keys.beginCreation', 'keys.listStored', 'pools.get', 'keys.create'] as const) {
        const slow = withVault(
          interruptAfter(world.context, verb, () => create(request)),
          VAULT_KEY,
        );
        const created = await create(request, slow);
        expect(await listed()).toEqual(ids(created).toSorted());
      }
      await expect(create({ ...request, idempotencyKey: 'another' })).rejects.toMatchObject(
        kind === 'values' ? { code: 'value_exists' } : POOL_FULL,
      );
    });

    it.each(['keys.beginCreation', 'keys.reserveTokens', 'keys.listByValue', 'keys.create'] as const)(
      'goes on where it broke off after %s',
      async (verb) => {
        let isDead = false;
        const dying = withVault(
          startProcess(
            watchStore(world.store, () => ({
              before: () => {
                if (isDead) throw new DatabaseUnavailableError();
              },
              after: (used) => {
                if (used === verb) isDead = true;
              },
            })),
            () => world.now,
          ),
          VAULT_KEY,
        );
        const isReached = kind === 'values' || verb === 'keys.beginCreation' || verb === 'keys.create';
        const broken = create(request, dying);
        if (isReached) await expect(broken).rejects.toBeInstanceOf(DatabaseUnavailableError);
        await broken.catch(() => undefined);

        const repeat = await create(request);
        expect(repeat.keys).toHaveLength(3);
        expect(await listed()).toEqual(ids(repeat).toSorted());
        expect(ids(await create(request))).toEqual(ids(repeat));
      },
    );
  });

  describe('an idempotency key of a creation', () => {
    it.each<[string, Partial<CreateKeysRequest>]>([
      ['another value', { values: [{ value: 'sk-1' }, { value: 'sk-2' }, { value: 'sk-4' }] }],
      ['another order', { values: [{ value: 'sk-2' }, { value: 'sk-1' }, { value: 'sk-3' }] }],
      ['other labels', { ...REQUESTS.values, labels: { region: 'eu' } }],
      ['a count', { count: 3 }],
      ['another pool', { ...REQUESTS.values, pool: 'licences' }],
    ])('is for one request: with %s it is refused, and creates nothing', async (_, differing) => {
      await setPolicy(world.context, {}, 'licences');
      const first = await create();

      await expect(create(differing)).rejects.toMatchObject(IDEMPOTENCY_KEY_REUSED);
      expect(await listed()).toEqual(ids(first).toSorted());
      expect((await listKeys(world.context, ADMIN, { pool: 'licences', limit: 9 })).keys).toEqual([]);
    });

    it('is that of one client', async () => {
      await create({ count: 1 });
      const other = { ...ADMIN, clientId: 'another-admin' };

      const { repeated } = await createKeys(world.context, other, {
        pool: 'default',
        count: 1,
        idempotencyKey: 'once',
      });
      expect(repeated).toBe(false);
      expect(await listed()).toHaveLength(2);
    });

    it('is remembered for a day', async () => {
      await setPolicy(world.context, { keyTtlSeconds: null });
      await create({ count: 1 });
      world.passTime(DAY - 1);
      expect(await create({ count: 1 })).toMatchObject({ repeated: true });
      world.passTime(1);
      expect(await create({ count: 1 })).toMatchObject({ repeated: false });
      expect(await listed()).toHaveLength(2);
    });

    it('repeats a creation that was refused as a new one', async () => {
      await setPolicy(world.context, { maxKeys: 2 });
      await expect(create({ count: 3 })).rejects.toMatchObject(POOL_FULL);
      await setPolicy(world.context, { maxKeys: 3 });
      expect((await create({ count: 3 })).keys).toHaveLength(3);
    });

    it('repeats an import that was refused for a value as a new one', async () => {
      const other = await create({ values: [{ value: 'sk-2' }], idempotencyKey: 'first' });
      await expect(create()).rejects.toMatchObject(valueExists('values.1'));
      await deleteKey(world.context, ADMIN, ids(other)[0] as string, { force: true });

      expect((await create()).keys).toHaveLength(3);
      expect(await listed()).toHaveLength(3);
    });

    it('knows a request with values by either of the vault’s keys', async () => {
      const first = await create();
      const rotated = withVault(world.context, NEXT_KEY, VAULT_KEY);

      expect(ids(await create(REQUESTS.values, rotated))).toEqual(ids(first));
    });

    it('finds what was created before the pool held a target size', async () => {
      const first = await create({ count: 2 });
      const { leaseId } = await acquire(world.context, ALICE);
      await setPolicy(world.context, { targetSize: 2 });

      const repeat = await create({ count: 2 });
      expect(repeat.repeated).toBe(true);
      expect(ids(first)).toEqual(expect.arrayContaining(ids(repeat)));
      await expect(create({ count: 2, idempotencyKey: 'twice' })).rejects.toMatchObject(POOL_FULL);
      await releaseLease(world.context, ALICE, leaseId);
    });

    it('brings no key of a deleted pool back', async () => {
      await setPolicy(world.context, {}, 'licences');
      const request = { pool: 'licences', count: 2 };
      await create(request);
      await deletePool(world.context, ADMIN, 'licences');
      await setPolicy(world.context, {}, 'licences');

      expect(await create(request)).toEqual({ keys: [], repeated: true });
      expect((await listKeys(world.context, ADMIN, { pool: 'licences', limit: 9 })).keys).toEqual([]);
    });
  });

  it('a creation without an idempotency key is a new one each time', async () => {
    for (let time = 1; time <= 2; time += 1) {
      expect(await createKeys(world.context, ADMIN, { pool: 'default', count: 2 })).toMatchObject({
        repeated: false,
      });
      expect(await listed()).toHaveLength(2 * time);
    }
  });
});

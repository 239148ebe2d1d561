import { describe, expect, it } from 'vitest';
import type { Context } from '../../../shared/domain/context.ts';
import { createKeys } from '../../../shared/domain/create-keys.ts';
import { DatabaseUnavailableError } from '../../../shared/domain/errors.ts';
import { deleteKey, getKey, listKeys, refreshKey, unblockKey } from '../../../shared/domain/keys.ts';
import { getLease, keepAliveLease, listLeases, releaseLease } from '../../../shared/domain/leases.ts';
import { POOL_CACHE_MS } from '../../../shared/domain/pool-directory.ts';
import { deletePool, patchPool, refreshPool } from '../../../shared/domain/pools.ts';
import { sweep } from '../../../shared/domain/sweep.ts';
import { describeOnEveryStore } from '../support/every-store.ts';
import { invalid, POOL_FULL, VALUES_NOT_CONFIGURED, valueExists } from '../support/expected-errors.ts';
import { interruptAfter } from '../support/interrupt.ts';
import { persistently } from '../support/persistently.ts';
import {
  ADMIN,
  ALICE,
  acquire,
  acquireOrRepeat,
  addKey,
  BOB,
  KEY_LIFE,
  LEASE,
  SECOND,
  setPolicy,
  TOLERANCE,
  withVault,
} from '../support/world.ts';

const OLD = { id: 'old', secret: 'a secret of at least 32 characters' };
const NEW = { id: 'new', secret: 'another secret of 32 characters !' };
const SETTLED = 2 * POOL_CACHE_MS + TOLERANCE;

describeOnEveryStore((world) => {
  const vaulted = () => withVault(world.context, OLD);
  const importValues = async (values: string[], { context = vaulted(), pool = 'default' } = {}) => {
    const { keys } = await createKeys(context, ADMIN, { pool, values: values.map((value) => ({ value })) });
    return keys.map(({ keyId }) => keyId);
  };
  const sweepNow = () => sweep(world.context, () => true);

  describe('an imported value', () => {
    it('is told to the holder of its key, by an acquire, its repeat and a look at the own lease, and by nothing else', async () => {
      const context = vaulted();
      const labels = { account: 'ops' };
      const request = { pool: 'default', values: [{ value: 'sk-1', labels }] };
      const created = await createKeys(context, ADMIN, request);
      const keyId = created.keys[0]?.keyId as string;
      const { lease, repeated } = await acquireOrRepeat(context, ALICE, { idempotencyKey: 'once' });

      expect(lease).toMatchObject({ keyId, value: 'sk-1', labels });
      expect(repeated).toBe(false);
      expect(await acquireOrRepeat(context, ALICE, { idempotencyKey: 'once' })).toMatchObject({
        repeated: true,
        lease: { value: 'sk-1', labels },
      });
      expect(await getLease(context, ALICE, lease.leaseId)).toMatchObject({ value: 'sk-1', labels });
      const others = [
        created,
        await keepAliveLease(context, ALICE, lease.leaseId),
        await listLeases(context, ALICE, { limit: 9 }),
        await getKey(context, ADMIN, keyId),
        await listKeys(context, ADMIN, { pool: 'default', limit: 9 }),
        await listKeys(context, ADMIN, { pool: 'default', limit: 9, search: 'sk-1' }),
        await refreshKey(context, ADMIN, keyId),
        await unblockKey(context, ADMIN, keyId, { force: true }),
      ];
      for (const other of others) expect(JSON.stringify(other)).not.toContain('sk-1');
      expect(JSON.stringify(others)).not.toContain('"value"');
    });

    it('has a key that never expires by itself, whatever the pool says', async () => {
      await setPolicy(world.context, { keyTtlSeconds: 120 });
      const [keyId] = await importValues(['sk-1']);

      expect(await getKey(world.context, ADMIN, keyId as string)).toMatchObject({
        expiresAt: null,
        expiresInMs: null,
      });
      await acquire(vaulted(), ALICE);
      await patchPool(world.context, ADMIN, 'default', { policy: { keyTtlSeconds: 90 } });
      await refreshPool(world.context, ADMIN, 'default');
      world.passTime(10 * KEY_LIFE);
      await sweepNow();
      expect(await acquire(vaulted(), BOB)).toMatchObject({ keyId, value: 'sk-1' });
    });

    it('stands beside keys that are their own value', async () => {
      await addKey(world.context);
      await importValues(['sk-1']);
      const leases = [await acquire(vaulted(), ALICE), await acquire(vaulted(), ALICE)];

      expect(leases.map(({ keyId, value }) => (value === keyId ? 'itself' : value)).toSorted()).toEqual([
        'itself',
        'sk-1',
      ]);
    });

    it('takes a seat as other keys do', async () => {
      await setPolicy(world.context, { maxKeys: 2 });
      await expect(importValues(['a', 'b', 'c'])).rejects.toMatchObject(POOL_FULL);
      await importValues(['a', 'b']);
      await setPolicy(world.context, { targetSize: 2 }, 'licences');
      await expect(importValues(['a'], { pool: 'licences' })).rejects.toMatchObject(POOL_FULL);
    });
  });

  describe('values that are imported twice', () => {
    it('in one request are refused, by their places and not by their text', async () => {
      const refused = importValues(['sk-a', 'sk-b', 'sk-a', 'sk-c', 'sk-b']);

      await expect(refused).rejects.toMatchObject({
        code: 'invalid_request',
        issues: [
          { path: 'values.2', message: 'Is the same as values.0' },
          { path: 'values.4', message: 'Is the same as values.1' },
        ],
      });
      await expect(refused).rejects.not.toThrow(/sk-/);
      expect((await listKeys(world.context, ADMIN, { pool: 'default', limit: 9 })).keys).toEqual([]);
    });

    it('into the same pool are refused, all of the request, by their places and not by their text', async () => {
      await importValues(['sk-a', 'sk-b']);
      const refused = importValues(['sk-c', 'sk-b', 'sk-d', 'sk-a']);

      await expect(refused).rejects.toMatchObject({ code: 'value_exists' });
      const { issues } = (await refused.catch((error: unknown) => error)) as { issues: { path: string }[] };
      expect(issues.map(({ path }) => path).toSorted()).toEqual(['values.1', 'values.3']);
      await expect(refused).rejects.not.toThrow(/sk-/);
      expect((await listKeys(world.context, ADMIN, { pool: 'default', limit: 9 })).keys).toHaveLength(2);
    });

    it('into two pools are two', async () => {
      await setPolicy(world.context, {}, 'licences');
      await importValues(['sk-a']);
      await importValues(['sk-a'], { pool: 'licences' });
    });

    it('by many at once stand once', async () => {
      const other = withVault(await world.startProcess(), OLD);
      await Promise.allSettled(
        Array.from({ length: 16 }, (_, index) =>
          persistently(() =>
            importValues(['sk-a', 'sk-b'], { context: index % 2 === 0 ? vaulted() : other }),
          ),
        ),
      );
      // Where they only stood in each other's way, it is imported now.
      await importValues(['sk-a', 'sk-b']).catch(() => undefined);

      const leases = [await acquire(vaulted(), ALICE), await acquire(vaulted(), ALICE)];
      expect(leases.map(({ value }) => value).toSorted()).toEqual(['sk-a', 'sk-b']);
      expect((await listKeys(world.context, ADMIN, { pool: 'default', limit: 99 })).keys).toHaveLength(2);
    });

    it('between the look for them and the creation are refused by their places', async () => {
      const slow = interruptAfter(world.context, 'keys.listByValue', () => importValues(['sk-b']));
      const context = withVault(slow, OLD);

      await expect(importValues(['sk-a', 'sk-b'], { context })).rejects.toMatchObject(
        valueExists('values.1'),
      );
    });
  });

  describe('a value whose key was deleted', () => {
    const hold = async (pool = 'default') => {
      const [keyId] = await importValues(['sk-1'], { pool });
      return { keyId: keyId as string, lease: await acquire(vaulted(), ALICE, { pool }) };
    };

    it('is imported again only when its holder has surely stopped', async () => {
      const { keyId } = await hold();
      world.passTime(10 * SECOND);
      await deleteKey(world.context, ADMIN, keyId, { force: false });

      world.passTime(LEASE - 10 * SECOND + TOLERANCE - 1);
      await expect(importValues(['sk-1'])).rejects.toMatchObject(valueExists('values.0'));
      world.passTime(1);
      await importValues(['sk-1']);
      expect(await acquire(vaulted(), BOB)).toMatchObject({ value: 'sk-1' });
    });

    it('is imported again at once where that was forced, or its holder discarded it, with or without a sweep', async () => {
      const { keyId } = await hold();
      await deleteKey(world.context, ADMIN, keyId, { force: true });
      await importValues(['sk-1']);
      const { leaseId } = await acquire(vaulted(), ALICE);
      await releaseLease(world.context, ALICE, leaseId, { outcome: 'discard' });
      await sweepNow();
      await importValues(['sk-1']);
    });

    it('with its pool is imported again only when its holder has surely stopped', async () => {
      await setPolicy(world.context, {}, 'licences');
      await hold('licences');
      await deletePool(world.context, ADMIN, 'licences');
      await setPolicy(world.context, {}, 'licences');

      world.passTime(LEASE + TOLERANCE - 1);
      await expect(importValues(['sk-1'], { pool: 'licences' })).rejects.toMatchObject(
        valueExists('values.0'),
      );
      world.passTime(1);
      await importValues(['sk-1'], { pool: 'licences' });
    });

    it('with its pool, and held by nobody, is imported again when no process knows the old pool any more', async () => {
      await setPolicy(world.context, {}, 'licences');
      await importValues(['sk-1'], { pool: 'licences' });
      await deletePool(world.context, ADMIN, 'licences');
      await setPolicy(world.context, {}, 'licences');

      await expect(importValues(['sk-1'], { pool: 'licences' })).rejects.toMatchObject(
        valueExists('values.0'),
      );
      world.passTime(SETTLED);
      await importValues(['sk-1'], { pool: 'licences' });
    });
  });

  describe('the fencing tokens of a value', () => {
    const tokenOf = async (context = vaulted()) => {
      const { fencingToken, leaseId, value } = await acquire(context, ALICE);
      expect(value).toBe('sk-1');
      await releaseLease(context, ALICE, leaseId);
      return fencingToken;
    };
    const importAgain = async (context = vaulted()) => {
      const { keys } = await listKeys(world.context, ADMIN, { pool: 'default', limit: 1 });
      for (const { keyId } of keys) await deleteKey(world.context, ADMIN, keyId, { force: true });
      await importValues(['sk-1'], { context });
    };

    it('go on growing when it is imported again, though its key was used many times', async () => {
      await importValues(['sk-1']);
      let latest = 0;
      for (let round = 0; round < 3; round += 1) {
        for (let use = 0; use < 3; use += 1) {
          const token = await tokenOf();
          expect(token).toBeGreaterThan(latest);
          latest = token;
        }
        await importAgain();
      }
      expect(await tokenOf()).toBeGreaterThan(latest);
    });

    it('grow although the clock of the importer is behind, by however much', async () => {
      await importValues(['sk-1']);
      let latest = await tokenOf();
      // One that was far ahead, too: those after it are behind what it left.
      for (const behindMs of [TOLERANCE, -1_000_000 * SECOND, LEASE, 1_000_000 * SECOND, 0]) {
        const importer = { ...vaulted(), clock: () => world.now - behindMs };
        const { keys } = await listKeys(world.context, ADMIN, { pool: 'default', limit: 1 });
        await deleteKey(importer, ADMIN, keys[0]?.keyId ?? '', { force: true });
        await importValues(['sk-1'], { context: importer });
        const token = await tokenOf(importer);
        expect(token).toBeGreaterThan(latest);
        latest = token;
      }
    });

    it('grow also after its pool was deleted and made again, and while the vault’s keys are rotated', async () => {
      await importValues(['sk-1']);
      let latest = await tokenOf();
      for (const context of [
        withVault(world.context, NEW, OLD),
        withVault(world.context, OLD),
        withVault(world.context, NEW, OLD),
        withVault(world.context, NEW),
      ]) {
        await deletePool(world.context, ADMIN, 'default');
        world.passTime(SETTLED);
        await sweepNow();
        await importAgain(context);
        const token = await tokenOf(context);
        expect(token).toBeGreaterThan(latest);
        latest = token;
      }
    });
  });

  describe('a vault whose keys are rotated', () => {
    it('opens what was sealed with either key, and knows a value by either', async () => {
      await importValues(['sk-1']);
      const rotated = withVault(world.context, NEW, OLD);
      await importValues(['sk-2'], { context: rotated });

      await expect(importValues(['sk-3', 'sk-1', 'sk-2'], { context: rotated })).rejects.toMatchObject({
        code: 'value_exists',
      });
      const values = [await acquire(rotated, ALICE), await acquire(rotated, ALICE)].map(({ value }) => value);
      expect(values.toSorted()).toEqual(['sk-1', 'sk-2']);
    });

    it('imports no value twice where hosts differ in which key comes first, nor where one has only one of them', async () => {
      const hosts = [withVault(world.context, OLD, NEW), withVault(world.context, NEW, OLD), vaulted()];
      const pairs = [
        [0, 1],
        [1, 0],
        [0, 2],
        [2, 0],
      ] as const;
      for (const [index, [first, second]] of pairs.entries()) {
        const value = `sk-${index}`;
        const importOn = (host: number) => importValues([value], { context: hosts[host] as Context });
        const slow = interruptAfter(world.context, 'keys.listByValue', () => importOn(second));
        const { vault } = hosts[first] as Context;
        const late = importValues(['other', value], { context: { ...slow, vault } });
        await expect(late).rejects.toMatchObject(valueExists('values.1'));
      }
    });

    it('imports no value twice, however many import it at once on hosts that differ', async () => {
      const other = await world.startProcess();
      const hosts = [withVault(world.context, OLD, NEW), withVault(other, NEW, OLD)];
      await Promise.allSettled(
        Array.from({ length: 16 }, (_, index) =>
          persistently(() => importValues(['sk-a', 'sk-b'], { context: hosts[index % 2] as Context })),
        ),
      );
      // Where they only stood in each other's way, it is imported now.
      await importValues(['sk-a', 'sk-b'], { context: hosts[0] as Context }).catch(() => undefined);
      expect((await listKeys(world.context, ADMIN, { pool: 'default', limit: 99 })).keys).toHaveLength(2);
    });

    it('that lacks the key of a value fails without telling why, and takes nothing from hosts that have it', async () => {
      await importValues(['sk-1']);
      const lacking = [withVault(world.context, NEW), world.context];
      const expectFailure = async (failed: Promise<unknown>) => {
        await expect(failed).rejects.toThrow(/VALUE_ENCRYPTION_KEY|a key that is not configured/);
        await expect(failed).rejects.not.toHaveProperty('code');
        await expect(failed).rejects.not.toThrow(/sk-1/);
      };
      for (const context of lacking) {
        await expectFailure(acquire(context, ALICE));
        await expectFailure(acquire(context, ALICE, { idempotencyKey: 'once' }));
      }
      const acquired = await acquireOrRepeat(vaulted(), ALICE, { idempotencyKey: 'once' });
      expect(acquired).toMatchObject({ repeated: false, lease: { value: 'sk-1' } });
      for (const context of lacking) {
        await expectFailure(acquire(context, ALICE, { idempotencyKey: 'once' }));
        await expectFailure(getLease(context, ALICE, acquired.lease.leaseId));
        await keepAliveLease(context, ALICE, acquired.lease.leaseId);
      }
      // A lease that its holder was told of stands.
      expect(await getLease(vaulted(), ALICE, acquired.lease.leaseId)).toMatchObject({ value: 'sk-1' });
    });

    it('whose keys cannot be read for a moment leaves the lease to the repeat', async () => {
      await importValues(['sk-1']);
      const vault = () => Promise.reject(new DatabaseUnavailableError());
      const failed = acquire({ ...world.context, vault }, ALICE, { idempotencyKey: 'once' });
      await expect(failed).rejects.toThrow(DatabaseUnavailableError);
      expect(await acquireOrRepeat(vaulted(), ALICE, { idempotencyKey: 'once' })).toMatchObject({
        repeated: true,
      });
    });
  });

  it('without a vault no values are imported', async () => {
    await expect(importValues(['sk-1'], { context: world.context })).rejects.toMatchObject(
      VALUES_NOT_CONFIGURED,
    );
    await addKey(world.context);
    expect((await listKeys(world.context, ADMIN, { pool: 'default', limit: 9 })).keys).toHaveLength(1);
  });

  it('a value and a count are one import: all of it or none', async () => {
    await expect(importValues(['a', 'a'])).rejects.toMatchObject(invalid('values.1'));
    expect(await importValues(Array.from({ length: 1000 }, (_, index) => `sk-${index}`))).toHaveLength(1000);
  });
});

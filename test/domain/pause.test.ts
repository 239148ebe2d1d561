import { describe, expect, it } from 'vitest';
import { createKeys } from '../../shared/domain/create-keys.ts';
import { listEvents } from '../../shared/domain/events.ts';
import {
  deleteKey,
  getKey,
  listKeys,
  pauseKey,
  refreshKey,
  resumeKey,
  unblockKey,
} from '../../shared/domain/keys.ts';
import { getLease, keepAliveLease, releaseLease } from '../../shared/domain/leases.ts';
import { getPool } from '../../shared/domain/pools.ts';
import { sweep } from '../../shared/domain/sweep.ts';
import { describeOnEveryStore } from './support/every-store.ts';
import { FORBIDDEN, KEY_NOT_FOUND, NO_KEY_AVAILABLE } from './support/expected-errors.ts';
import { persistently } from './support/persistently.ts';
import {
  ADMIN,
  ALICE,
  acquire,
  addKey,
  BOB,
  KEY_LIFE,
  LEASE,
  SECOND,
  setPolicy,
  TOLERANCE,
  toTime,
  withVault,
} from './support/world.ts';

const AT_ONCE = 64;

describeOnEveryStore((world) => {
  describe('a paused key', () => {
    const pause = (keyId: string, reason?: string) => pauseKey(world.context, ADMIN, keyId, { reason });
    const resume = (keyId: string) => resumeKey(world.context, ADMIN, keyId);
    const show = (keyId: string) => getKey(world.context, ADMIN, keyId);
    const sweepNow = () => sweep(world.context, () => true);
    const refused = () => expect(acquire(world.context, BOB)).rejects.toMatchObject(NO_KEY_AVAILABLE);
    const eventsOf = async (type: 'key.paused' | 'key.resumed') => {
      const { events } = await listEvents(world.context, ADMIN, { type, limit: 9 });
      return events.map(({ keyId, by, reason }) => ({ keyId, by, reason }));
    };

    it('is handed to nobody, shows by whom and why, and is had again once it is resumed', async () => {
      const keyId = await addKey(world.context);
      const paused = { at: toTime(world.now), by: ADMIN.clientId, reason: 'in repair' };
      expect(await pause(keyId, 'in repair')).toMatchObject({ state: 'paused', paused, expiresAt: null });
      await refused();
      expect(await resume(keyId)).toMatchObject({ state: 'free', expiresInMs: KEY_LIFE });
      expect(await show(keyId)).not.toHaveProperty('paused.at');
      expect(await acquire(world.context, BOB)).toMatchObject({ keyId });
      expect(await eventsOf('key.paused')).toEqual([{ keyId, by: ADMIN.clientId, reason: 'in repair' }]);
      expect(await eventsOf('key.resumed')).toEqual([{ keyId, by: ADMIN.clientId }]);
    });

    it('stays as it is when it is paused again, and so does one in service that is resumed', async () => {
      const keyId = await addKey(world.context);
      const before = await show(keyId);
      expect(await resume(keyId)).toEqual(before);
      const first = await pause(keyId, 'first');
      world.passTime(SECOND);
      expect(await pause(keyId, 'second')).toEqual(first);
      expect(await eventsOf('key.paused')).toHaveLength(1);
      expect(await eventsOf('key.resumed')).toEqual([]);
    });

    it('leaves its lease to the holder, who keeps it alive and releases it', async () => {
      await addKey(world.context);
      const { keyId, leaseId } = await acquire(world.context, ALICE, { idempotencyKey: 'once' });
      expect(await pause(keyId)).toMatchObject({ state: 'leased', lease: { clientId: ALICE.clientId } });
      world.passTime(LEASE - SECOND);
      expect(await keepAliveLease(world.context, ALICE, leaseId)).toMatchObject({ expiresInMs: LEASE });
      expect(await getLease(world.context, ALICE, leaseId)).toMatchObject({ keyId });
      expect(await acquire(world.context, ALICE, { idempotencyKey: 'once' })).toMatchObject({ leaseId });
      await releaseLease(world.context, ALICE, leaseId);
      expect(await show(keyId)).toMatchObject({ state: 'paused' });
      await refused();
    });

    it.each(['before', 'after'])(
      'goes to nobody whose lease lapsed, %s a sweep has recorded it',
      async (when) => {
        await addKey(world.context);
        const { keyId } = await acquire(world.context, ALICE);
        await pause(keyId);
        world.passTime(LEASE + TOLERANCE);
        if (when === 'after') await sweepNow();
        await refused();
        expect(await show(keyId)).toMatchObject({ state: 'paused' });
      },
    );

    it('is resumed under a live lease, which it does not outlive by less than its life', async () => {
      await setPolicy(world.context, { cooldownSeconds: (2 * KEY_LIFE) / SECOND });
      await addKey(world.context);
      const { keyId, leaseId } = await acquire(world.context, ALICE);
      await pause(keyId);
      const cooled = LEASE + TOLERANCE + 2 * KEY_LIFE;
      expect(await resume(keyId)).toMatchObject({ state: 'leased', expiresInMs: cooled });
      expect(await keepAliveLease(world.context, ALICE, leaseId)).toMatchObject({ keyId });
    });

    it('is unblocked like any other, and free of its lease is not leased', async () => {
      await addKey(world.context);
      const { keyId } = await acquire(world.context, ALICE);
      await pause(keyId);
      expect(await unblockKey(world.context, ADMIN, keyId, { force: true })).toMatchObject({
        state: 'paused',
      });
      await expect(unblockKey(world.context, ADMIN, keyId, { force: true })).rejects.toMatchObject({
        code: 'key_not_leased',
      });
    });

    it('does not expire, keeps its seat of the target size, and lives a whole life from its resumption', async () => {
      await setPolicy(world.context, { targetSize: 2 });
      await sweepNow();
      const { keys } = await listKeys(world.context, ADMIN, { pool: 'default', limit: 9 });
      const keyId = keys[0]?.keyId as string;
      await pause(keyId);
      await refreshKey(world.context, ADMIN, keyId);
      world.passTime(3 * KEY_LIFE);
      await sweepNow();
      const later = await listKeys(world.context, ADMIN, { pool: 'default', limit: 9 });
      expect(later.keys).toHaveLength(2);
      expect(later.keys.find((key) => key.keyId === keyId)).toMatchObject({
        state: 'paused',
        expiresAt: null,
      });
      expect(await resume(keyId)).toMatchObject({ expiresInMs: KEY_LIFE });
      world.passTime(KEY_LIFE);
      await expect(show(keyId)).rejects.toMatchObject(KEY_NOT_FOUND);
    });

    it('keeps out of a changed lifetime, which it has once it is resumed', async () => {
      const keyId = await addKey(world.context);
      await pause(keyId);
      await setPolicy(world.context, { leaseSeconds: 5, keyTtlSeconds: 10 });
      await sweepNow();
      expect(await show(keyId)).toMatchObject({ expiresAt: null });
      expect(await resume(keyId)).toMatchObject({ expiresInMs: 10 * SECOND });
    });

    it('with a value never expires, paused or resumed', async () => {
      const context = withVault(world.context, { id: 'a', secret: 'a secret of at least 32 characters' });
      await setPolicy(world.context, {});
      const { keys } = await createKeys(context, ADMIN, { pool: 'default', values: [{ value: 'one' }] });
      const keyId = keys[0]?.keyId as string;
      await pause(keyId);
      expect(await resume(keyId)).toMatchObject({ expiresAt: null });
    });

    it('is deleted, and found by neither a pause nor a resumption then', async () => {
      const keyId = await addKey(world.context);
      await pause(keyId);
      await deleteKey(world.context, ADMIN, keyId, { force: false });
      await expect(pause(keyId)).rejects.toMatchObject(KEY_NOT_FOUND);
      await expect(resume(keyId)).rejects.toMatchObject(KEY_NOT_FOUND);
    });

    it('is no affair of a credential for other pools', async () => {
      const keyId = await addKey(world.context);
      const limited = { ...ADMIN, pools: ['other'] };
      await expect(pauseKey(world.context, limited, keyId, {})).rejects.toMatchObject(FORBIDDEN);
      await expect(resumeKey(world.context, limited, keyId)).rejects.toMatchObject(FORBIDDEN);
    });

    it('is counted by itself, and no one is told to wait for it', async () => {
      await addKey(world.context);
      const { keyId } = await acquire(world.context, ALICE);
      await pause(keyId);
      const exact = (count: number) => ({ count, relation: 'exact' });
      world.passTime(LEASE); // Cooling, but for the pause.
      expect(await getPool(world.context, ADMIN, 'default')).toMatchObject({
        counts: { free: exact(0), leased: exact(0), cooling: exact(0), paused: exact(1) },
        nextFreeInMs: null,
      });
      await expect(acquire(world.context, BOB)).rejects.toMatchObject({ retryAfterMs: 5 * SECOND });
    });

    it('is acquired by none of 64 callers once its pause was answered, whatever runs at once', async () => {
      const keyIds = await Promise.all(Array.from({ length: 4 }, () => addKey(world.context)));
      const processes = [world.context, await world.startProcess()] as const;
      const pausedKeys = new Set<string>();
      const violations: string[] = [];
      await Promise.all([
        ...Array.from({ length: AT_ONCE }, async (_, i) => {
          const context = processes[i % 2] as (typeof processes)[0];
          const caller = { clientId: `caller-${i}`, role: 'client' } as const;
          for (let turn = 0; turn < 3; turn++) {
            const before = new Set(pausedKeys);
            const lease = await acquire(context, caller).catch(() => undefined);
            if (lease === undefined) continue;
            if (before.has(lease.keyId)) violations.push(lease.keyId);
            await persistently(() => releaseLease(context, caller, lease.leaseId)).catch(() => undefined);
          }
        }),
        ...keyIds.slice(0, 3).map(async (keyId) => {
          await persistently(() => pause(keyId));
          pausedKeys.add(keyId);
        }),
      ]);
      expect(violations).toEqual([]);
      expect(await eventsOf('key.paused')).toHaveLength(3);
      world.passTime(LEASE + TOLERANCE);
      expect(await acquire(world.context, ALICE)).toMatchObject({ keyId: keyIds[3] });
      await refused();
    });

    it('is paused and resumed by many admins at once, each time once', async () => {
      const keyId = await addKey(world.context);
      const admins = Array.from({ length: 16 }, (_, i) => ({ ...ADMIN, clientId: `admin-${i}` }));
      const paused = await Promise.all(
        admins.map((admin) => persistently(() => pauseKey(world.context, admin, keyId, {}))),
      );
      expect(new Set(paused.map((key) => key.paused?.by)).size).toBe(1);
      await Promise.all(admins.map((admin) => persistently(() => resumeKey(world.context, admin, keyId))));
      expect(await eventsOf('key.paused')).toHaveLength(1);
      expect(await eventsOf('key.resumed')).toHaveLength(1);
    });
  });
});

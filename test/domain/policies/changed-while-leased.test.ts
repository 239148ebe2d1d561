import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { policySchema } from '../../../shared/contract/pools.ts';
import { acquireLease } from '../../../shared/domain/acquire-lease.ts';
import type { Caller } from '../../../shared/domain/client.ts';
import { listKeys } from '../../../shared/domain/keys.ts';
import { getLease, keepAliveLease, listLeases, releaseLease } from '../../../shared/domain/leases.ts';
import { DEFAULT_POLICY, type PoolPolicy } from '../../../shared/domain/pool.ts';
import { patchPool } from '../../../shared/domain/pools.ts';
import { sweep } from '../../../shared/domain/sweep.ts';
import { describeOnEveryStore } from '../support/every-store.ts';
import {
  invalid,
  LEASE_LIMIT_REACHED,
  NO_KEY_AVAILABLE,
  POOL_FULL,
  POOL_PAUSED,
} from '../support/expected-errors.ts';
import {
  ADMIN,
  ALICE,
  acquire,
  acquireOrRepeat,
  addKey,
  addKeys,
  BOB,
  LEASE,
  SECOND,
  setPolicy,
  TOLERANCE,
} from '../support/world.ts';

// The table of policies in the README, row by row: what a change does while leases live, and nothing else.

const POOL = 'default';
const CAROL: Caller = { clientId: 'carol', role: 'client' };

/** The lease that lives while the policy changes. */
interface Held {
  readonly leaseId: string;
  readonly keyId: string;
}

interface Row {
  readonly from: Partial<PoolPolicy>;
  readonly to: Partial<PoolPolicy>;
  /** Where keys look otherwise afterwards. */
  readonly changesKeys?: true;
  /** What the change does. */
  readonly does: (held: Held) => Promise<void>;
}

describeOnEveryStore((world) => {
  const lookAtKeys = async () => (await listKeys(world.context, ADMIN, { pool: POOL, limit: 99 })).keys;
  const freeKeys = async () => (await lookAtKeys()).filter(({ state }) => state === 'free').length;
  const keepAlive = ({ leaseId }: Held) => keepAliveLease(world.context, ALICE, leaseId);
  const waitAs = async (caller: Caller, priority: number, ticket?: string) => {
    const acquired = await acquireLease(world.context, caller, { pool: POOL, wait: true, priority, ticket });
    if (!('waiting' in acquired)) throw new Error('Expected a ticket');
    return acquired.waiting;
  };

  const ROWS: Record<keyof PoolPolicy, Row> = {
    leaseSeconds: {
      from: {},
      to: { leaseSeconds: 10 },
      does: async (held) => {
        expect(await acquire(world.context, BOB)).toMatchObject({ expiresInMs: 10 * SECOND });
        const longer = acquire(world.context, BOB, { leaseSeconds: 11 });
        await expect(longer).rejects.toMatchObject(invalid('leaseSeconds'));
        world.passTime(30 * SECOND);
        expect(await keepAlive(held)).toMatchObject({ expiresInMs: LEASE });
      },
    },
    keyTtlSeconds: {
      from: {},
      to: { keyTtlSeconds: 90 },
      changesKeys: true,
      does: async (held) => {
        expect((await lookAtKeys()).map(({ expiresInMs }) => expiresInMs)).toEqual(
          [90, 90, 90].map((s) => s * SECOND),
        );
        world.passTime(59 * SECOND);
        await keepAlive(held);
        world.passTime(40 * SECOND);
        expect(await lookAtKeys()).toMatchObject([
          { keyId: held.keyId, state: 'leased', expiresInMs: 50 * SECOND },
        ]);
      },
    },
    maxKeys: {
      from: {},
      to: { maxKeys: 1 },
      does: async () => {
        await expect(addKey(world.context)).rejects.toMatchObject(POOL_FULL);
        await acquire(world.context, BOB);
        await acquire(world.context, BOB);
      },
    },
    targetSize: {
      from: { targetSize: 3 },
      to: { targetSize: 1 },
      changesKeys: true,
      does: async (held) => {
        expect(await freeKeys()).toBeLessThanOrEqual(1);
        await expect(acquire(world.context, BOB)).rejects.toMatchObject(NO_KEY_AVAILABLE);
        expect(await keepAlive(held)).toMatchObject({ expiresInMs: LEASE });
        await releaseLease(world.context, ALICE, held.leaseId);
        await acquire(world.context, BOB);
        await expect(acquire(world.context, BOB)).rejects.toMatchObject(NO_KEY_AVAILABLE);
        await sweep(world.context, () => true);
        expect(await lookAtKeys()).toHaveLength(1);
      },
    },
    maxLeaseSeconds: {
      from: { maxLeaseSeconds: 120 },
      to: { maxLeaseSeconds: 60 },
      does: async (held) => {
        const latest = await acquire(world.context, BOB);
        world.passTime(59 * SECOND);
        expect(await keepAliveLease(world.context, BOB, latest.leaseId)).toMatchObject({
          expiresInMs: SECOND,
        });
        expect(await keepAlive(held)).toMatchObject({ expiresInMs: LEASE });
        world.passTime(59 * SECOND);
        expect(await keepAlive(held)).toMatchObject({ expiresInMs: 2 * SECOND });
      },
    },
    cooldownSeconds: {
      from: { keyTtlSeconds: null },
      to: { cooldownSeconds: 30 },
      does: async (held) => {
        const { leaseId } = await acquire(world.context, BOB);
        const rests = await acquire(world.context, BOB);
        await releaseLease(world.context, BOB, leaseId);
        expect(await freeKeys()).toBe(1);
        await releaseLease(world.context, BOB, rests.leaseId, { outcome: 'cooldown' });
        expect(await freeKeys()).toBe(1);
        world.passTime(LEASE + TOLERANCE);
        expect(await freeKeys()).toBe(3); // Promised without a rest, the lease that lapsed ends without one.
        const [lapses, kept] = [await acquire(world.context, ALICE), await acquire(world.context, ALICE)];
        expect([lapses.keyId, kept.keyId, (await acquire(world.context, BOB)).keyId]).toContain(held.keyId);
        world.passTime(LEASE + TOLERANCE + 29 * SECOND);
        expect(await freeKeys()).toBe(0);
        world.passTime(SECOND);
        expect(await freeKeys()).toBe(3);
      },
    },
    maxLeasesPerClient: {
      from: {},
      to: { maxLeasesPerClient: 1 },
      does: async (held) => {
        await expect(acquire(world.context, ALICE)).rejects.toMatchObject(LEASE_LIMIT_REACHED);
        await acquire(world.context, BOB);
        await releaseLease(world.context, ALICE, held.leaseId);
        await acquire(world.context, ALICE);
      },
    },
    fair: {
      from: {},
      to: { fair: true },
      does: async () => {
        await acquire(world.context, BOB);
        await acquire(world.context, BOB);
        expect(await waitAs(CAROL, 0)).toMatchObject({ position: 0 });
        await patchPool(world.context, ADMIN, POOL, { policy: { fair: false } });
        await expect(waitAs(CAROL, 0)).rejects.toMatchObject(NO_KEY_AVAILABLE);
      },
    },
    agingSeconds: {
      from: { fair: true, agingSeconds: 1 },
      to: { agingSeconds: 60 },
      does: async () => {
        await acquire(world.context, BOB);
        await acquire(world.context, BOB);
        await patchPool(world.context, ADMIN, POOL, { policy: { agingSeconds: 1 } });
        await waitAs(CAROL, 0);
        world.passTime(1500);
        const { ticket } = await waitAs(BOB, 1); // A step of priority is worth a second: too little.
        await patchPool(world.context, ADMIN, POOL, { policy: { agingSeconds: 60 } });
        expect(await waitAs(BOB, 1, ticket)).toMatchObject({ position: 1 });
        expect(await waitAs(ALICE, 1)).toMatchObject({ position: 0 });
      },
    },
    paused: {
      from: {},
      to: { paused: true },
      does: async (held) => {
        await expect(acquire(world.context, BOB)).rejects.toMatchObject(POOL_PAUSED);
        const again = await acquireOrRepeat(world.context, ALICE, { idempotencyKey: 'held' });
        expect(again).toMatchObject({ repeated: true, lease: { leaseId: held.leaseId } });
        await releaseLease(world.context, ALICE, held.leaseId);
        expect(await freeKeys()).toBe(3);
      },
    },
  };

  describe('a policy that changes while a lease lives', () => {
    it.each(Object.entries(ROWS))(
      'in %s does what the README says, and nothing else',
      async (_field, row) => {
        await setPolicy(world.context, row.from);
        if (row.from.targetSize === undefined) await addKeys(world.context, 3);
        const held = await acquire(world.context, ALICE, { idempotencyKey: 'held' });
        const look = async () => ({
          lease: await getLease(world.context, ALICE, held.leaseId),
          leases: await listLeases(world.context, ALICE, { limit: 9 }),
          keys: row.changesKeys ? [] : await lookAtKeys(),
        });
        const before = await look();

        await patchPool(world.context, ADMIN, POOL, { policy: row.to });

        expect(await look()).toEqual(before);
        await row.does(held);
      },
    );
  });
});

it('the table of policies in the README has every field, with its default', () => {
  const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');
  for (const field of Object.keys(policySchema.shape) as (keyof PoolPolicy)[]) {
    expect(readme).toContain(`| \`${field}\` | ${JSON.stringify(DEFAULT_POLICY[field])} |`);
  }
});

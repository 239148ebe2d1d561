import { randomInt } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Lease } from '../../../shared/contract/leases.ts';
import type { Caller } from '../../../shared/domain/client.ts';
import type { Context } from '../../../shared/domain/context.ts';
import { NoKeyAvailableError } from '../../../shared/domain/errors.ts';
import { getLease } from '../../../shared/domain/leases.ts';
import { getPool } from '../../../shared/domain/pools.ts';
import { sweep } from '../../../shared/domain/sweep.ts';
import { randomFrom } from '../../support/seeded-random.ts';
import { describeOnEveryStore } from '../support/every-store.ts';
import { persistently } from '../support/persistently.ts';
import {
  ADMIN,
  ALICE,
  acquire,
  addKeys,
  BOB,
  LEASE,
  SECOND,
  setPolicy,
  TOLERANCE,
} from '../support/world.ts';
import { LeaseRecord } from './lease-record.ts';
import { Worker } from './worker.ts';

/** Any two differ by less than the tolerance. */
const CLOCKS = [0, 333, 666, TOLERANCE - 1];
const WORKERS = 200;
const STEPS = 10;

describeOnEveryStore((world) => {
  const startProcesses = async (): Promise<[Context, ...Context[]]> => [
    world.context,
    ...(await Promise.all(CLOCKS.slice(1).map((clockAheadMs) => world.startProcess({ clockAheadMs })))),
  ];
  /** Each acquire has an idempotency key, so that it is safe to repeat. */
  const acquireAtOnce = async (count: number, processes: readonly Context[], caller: Caller) => {
    const outcomes = await Promise.allSettled(
      Array.from({ length: count }, (_, index) => {
        const context = processes[index % processes.length] as Context;
        return persistently(() => acquire(context, caller, { idempotencyKey: `request-${index}` }));
      }),
    );
    const leases: Lease[] = [];
    const refusals: unknown[] = [];
    for (const outcome of outcomes) {
      if (outcome.status === 'fulfilled') leases.push(outcome.value);
      else refusals.push(outcome.reason);
    }
    return { leases, refusals };
  };

  describe('Rule 1: at most one live lease per key, whatever runs at once', () => {
    it.each([
      ['free', async () => undefined],
      [
        'lapsed',
        async (processes: readonly Context[]) => {
          await acquireAtOnce(50, processes, BOB);
          world.passTime(LEASE + TOLERANCE);
        },
      ],
    ])('64 acquirers on 50 %s keys get 50 leases, no key twice', async (_state, prepare) => {
      const keyIds = await addKeys(world.context, 50);
      const processes = await startProcesses();
      await prepare(processes);
      // So that the keys are free on the clocks of all processes.
      world.passTime(TOLERANCE);

      const { leases, refusals } = await acquireAtOnce(64, processes, ALICE);

      expect(leases.map((lease) => lease.keyId).sort()).toEqual(keyIds.sort());
      expect(refusals).toHaveLength(14);
      for (const refusal of refusals) expect(refusal).toBeInstanceOf(NoKeyAvailableError);
    });

    it('200 workers on 10 keys and 4 hosts with different clocks never hold one key at once', async () => {
      const seed = randomInt(2 ** 31);
      const random = randomFrom(seed);
      await setPolicy(world.context, { leaseSeconds: 10 });
      const keyIds = await addKeys(world.context, 10);
      const processes = await startProcesses();
      const workshop = { world, record: new LeaseRecord(), keyIds, random };

      const work = async (_: unknown, index: number) => {
        const worker = new Worker(
          workshop,
          processes[index % processes.length] as Context,
          `worker-${index}`,
        );
        for (let step = 0; step < STEPS; step += 1) {
          await worker.step();
          world.passTime(Math.floor(random() < 0.02 ? random() * 5 * SECOND : random() * 40));
        }
      };
      try {
        await Promise.all(Array.from({ length: WORKERS }, work));
      } catch (error) {
        throw new Error(`With seed ${seed}`, { cause: error });
      }

      // The test says nothing unless every key went from hand to hand.
      expect(workshop.record.leasesPerKey).toHaveLength(10);
      expect(Math.min(...workshop.record.leasesPerKey)).toBeGreaterThan(1);
    });

    it('sweeps beside sweeps beside acquires end each lapsed lease once, and no live one', async () => {
      await addKeys(world.context, 60);
      const processes = await startProcesses();
      world.passTime(TOLERANCE);
      await acquireAtOnce(60, processes, ALICE);
      world.passTime(LEASE + 2 * TOLERANCE);

      const sweepAtOnce = (context: Context) => persistently(() => sweep(context, () => true));

      const [{ leases: acquired }, ...reports] = await Promise.all([
        acquireAtOnce(40, processes, BOB),
        ...processes.flatMap((process) => [sweepAtOnce(process), sweepAtOnce(process)]),
      ]);

      expect(new Set(acquired.map((lease) => lease.keyId)).size).toBe(40);
      for (const { leaseId } of acquired)
        expect(await getLease(world.context, BOB, leaseId)).toMatchObject({ leaseId });
      expect(reports.reduce((sum, report) => sum + report.lapsed, 0)).toBeLessThanOrEqual(60);
      expect(await sweep(world.context, () => true)).toMatchObject({ lapsed: 0 });
      expect((await getPool(world.context, ADMIN, 'default')).counts).toMatchObject({
        free: { count: 20 },
        leased: { count: 40 },
      });
    });
  });
});

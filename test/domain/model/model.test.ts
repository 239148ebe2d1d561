import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { listEvents } from '../../../shared/domain/events.ts';
import { sweep } from '../../../shared/domain/sweep.ts';
import { describeOnEveryStore } from '../support/every-store.ts';
import { ADMIN, SECOND, setPolicy } from '../support/world.ts';
import { keyCommands } from './key-commands.ts';
import { leaseCommands } from './lease-commands.ts';
import type { RealSystem } from './real-system.ts';
import { MODEL_KEY_LIFE, MODEL_LEASE, ReferenceModel } from './reference-model.ts';

/** Of up to 40 commands each. On a failure fast-check prints the seed and the path that lead there again. */
const RUNS = 60;

describeOnEveryStore((world) => {
  describe('all rules together', () => {
    it('hold for any sequence of operations, as a plain model in memory has them', {
      timeout: 120_000,
    }, async () => {
      let runs = 0;
      const startRun = async () => {
        runs += 1;
        const pool = `run-${runs}`;
        await setPolicy(
          world.context,
          { leaseSeconds: MODEL_LEASE / SECOND, keyTtlSeconds: MODEL_KEY_LIFE / SECOND },
          pool,
        );
        const client = (name: string) => ({ clientId: `${name}-${runs}`, role: 'client' }) as const;
        const real: RealSystem = {
          world,
          context: world.context,
          pool,
          clients: [client('alice'), client('bob')],
        };
        return { model: new ReferenceModel(world.now), real };
      };

      await fc.assert(
        fc.asyncProperty(
          fc.commands([...leaseCommands, ...leaseCommands, ...keyCommands], { maxCommands: 40, size: 'max' }),
          async (commands) => {
            const run = await startRun();
            await fc.asyncModelRun(() => run, commands);
            await expectEventsOfLapses(run);
          },
        ),
        // The limit is for the search of the shortest sequence that fails, and for a slow database.
        { numRuns: RUNS, interruptAfterTimeLimit: 60_000 },
      );
    });
  });
});

/** Every lapse of the run, whoever found it, is one event, and there are no others. */
async function expectEventsOfLapses(run: { model: ReferenceModel; real: RealSystem }): Promise<void> {
  const { context, pool } = run.real;
  await sweep(context, () => true);
  run.model.sweep();
  const { events } = await listEvents(context, ADMIN, { pool, type: 'lease.lapsed', limit: 200 });
  const told = events.map(({ keyId, fencingToken }) => ({ keyId, fencingToken }));
  const inOrder = (lapses: readonly object[]) => lapses.map((lapse) => JSON.stringify(lapse)).toSorted();
  expect(inOrder(told)).toEqual(inOrder(run.model.store.lapses));
}

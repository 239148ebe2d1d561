import fc from 'fast-check';
import { describe, it } from 'vitest';
import { describeOnEveryStore } from '../support/every-store.ts';
import { SECOND, setPolicy } from '../support/world.ts';
import { keyCommands } from './key-commands.ts';
import { leaseCommands } from './lease-commands.ts';
import type { RealSystem } from './real-system.ts';
import { MODEL_KEY_LIFE, MODEL_LEASE, ReferenceModel } from './reference-model.ts';

/** Of up to 40 commands each. On a failure fast-check prints the seed and the path that lead there again. */
const RUNS = 60;

describeOnEveryStore((world) => {
  describe('all rules together', () => {
    it('hold for any sequence of operations, as a plain model in memory has them', async () => {
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
          (commands) => fc.asyncModelRun(startRun, commands),
        ),
        { numRuns: RUNS },
      );
    });
  });
});

import fc from 'fast-check';
import { describe, it } from 'vitest';
import { RandomHistory } from './random-history.ts';
import { stepArbitrary } from './random-step.ts';
import { type MakeStore, useStore } from './store-fixture.ts';

export function describeRandomHistories(makeStore: MakeStore, share: number): void {
  describe('a random history of commands, on time and late, by clocks that differ', () => {
    const test = useStore(makeStore);

    it('keeps every rule, and ends in the state that the rules say', { timeout: 120_000 }, async () => {
      const steps = fc.array(stepArbitrary, { minLength: 10, maxLength: 60, size: 'max' });
      const property = fc.asyncProperty(steps, async (history) => {
        const random = new RandomHistory(test.store);
        for (const step of history) await random.take(step);
        await random.compareReads();
      });
      // The limit is for the search of the shortest history that fails: a slow database would take minutes.
      await fc.assert(property, { numRuns: 60 * share, interruptAfterTimeLimit: 60_000 });
    });
  });
}

import { expect, test } from 'vitest';
import { waitTogether } from '../../../bench/waiting.ts';

test.each([200, 1000, 5000])(
  'twenty who wait for one key, without a queue, lose at most 15 % of its time (%i ms of work each)',
  async (workMs) => {
    expect((await waitTogether(workMs, 1)).lost).toBeLessThan(0.15);
  },
);

import type { Context } from './context.ts';
import { DatabaseUnavailableError } from './errors.ts';
import { type Pool, poolReference } from './pool.ts';
import { COUNT_LIMIT, type PoolFigures } from './pool-counts.ts';
import type { UsageFigures, UsageSample } from './store.ts';

/** Pools per look, and samples per write. */
const POOLS = 200;
/** Pools that are counted before the time is looked at again. */
const POOLS_AT_ONCE = 20;
/** More than the minutes and hours of so many pools that come to their end between two sweeps. */
const REMOVED = 1000;

/**
 * Takes one sample of each pool, and forgets what is over. What can't be counted or written in time leaves a gap: keys
 * are freed all the same. Returns the first failure of the database, if any.
 */
export async function recordUsage(
  context: Context,
  hasTime: () => boolean,
): Promise<DatabaseUnavailableError | undefined> {
  let failure: DatabaseUnavailableError | undefined;
  const leaveGap = (error: unknown): undefined => {
    if (!(error instanceof DatabaseUnavailableError)) throw error;
    failure ??= error;
  };
  try {
    for (let after: string | undefined; ; ) {
      const pools = await context.store.pools.list({ limit: POOLS, after });
      const samples: UsageSample[] = [];
      for (let first = 0; first < pools.length && hasTime(); first += POOLS_AT_ONCE) {
        const counted = pools
          .slice(first, first + POOLS_AT_ONCE)
          .map((pool) => takeSample(context, pool).catch(leaveGap));
        samples.push(...(await Promise.all(counted)).filter((sample) => sample !== undefined));
      }
      await context.store.usage.record(samples);
      after = pools.at(-1)?.name;
      if (pools.length < POOLS || !hasTime()) break;
    }
    await context.store.usage.removeExpired({ now: context.clock(), limit: REMOVED });
  } catch (error) {
    leaveGap(error);
  }
  return failure;
}

async function takeSample(context: Context, pool: Pool): Promise<UsageSample> {
  const at = context.clock();
  const counts = await context.counts.get(poolReference(pool), at);
  return { pool: pool.name, at, figures: toUsage(counts), refused: false };
}

/** Counts as usage keeps them: none is more than what was counted up to. */
export function toUsage({ leased, free, cooling, waiting }: PoolFigures): UsageFigures {
  const capped = (count: number) => Math.min(count, COUNT_LIMIT);
  const taken = capped(leased) + capped(cooling);
  return {
    leased: capped(leased),
    free: capped(free),
    cooling: capped(cooling),
    waiting: capped(waiting),
    taken,
    keys: taken + capped(free),
    atLeast: Math.max(leased, free, cooling, waiting) > COUNT_LIMIT,
  };
}

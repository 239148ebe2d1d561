import type { Context } from '../domain/context.ts';
import { PoolCounts } from '../domain/pool-counts.ts';
import { PoolDirectory } from '../domain/pool-directory.ts';
import type { Store } from '../domain/store.ts';
import { type RuntimeConfig, readRuntimeConfig } from './config.ts';
import { openStore } from './open-store.ts';

/** What a process keeps between invocations. */
export interface Runtime {
  readonly context: Context;
}

/** Gives the process's runtime; caches for itself. */
export type RuntimeSource = () => Promise<Runtime>;

/** Wires the operations to a store. */
export function createRuntime(
  store: Store,
  options: { clock?: () => number; clockSkewToleranceMs: number },
): Runtime {
  return {
    context: {
      store,
      pools: new PoolDirectory(store),
      counts: new PoolCounts(store.keys),
      clock: options.clock ?? Date.now,
      clockSkewToleranceMs: options.clockSkewToleranceMs,
    },
  };
}

let opening: Promise<Runtime> | undefined;

/**
 * The runtime of a Lambda execution environment: opened at the first invocation, kept for the ones after. A failed
 * opening is not kept, so that the next invocation tries again.
 */
export function lambdaRuntime(): Promise<Runtime> {
  opening ??= open(readRuntimeConfig()).catch((error: unknown) => {
    opening = undefined;
    throw error;
  });
  return opening;
}

async function open(config: RuntimeConfig): Promise<Runtime> {
  const store = await openStore(config);
  return createRuntime(store, { clockSkewToleranceMs: config.CLOCK_SKEW_TOLERANCE_MS });
}

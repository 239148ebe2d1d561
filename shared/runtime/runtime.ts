import { answerWithin } from '../domain/answer-within.ts';
import type { Context } from '../domain/context.ts';
import { EventLog } from '../domain/event-log.ts';
import { HealthCheck } from '../domain/health.ts';
import { DEFAULT_POLICY, type PoolPolicy } from '../domain/pool.ts';
import { PoolCounts } from '../domain/pool-counts.ts';
import { PoolDirectory } from '../domain/pool-directory.ts';
import type { Store } from '../domain/store.ts';
import { ValueVault, type VaultKeys } from '../domain/value-vault.ts';
import { type RuntimeConfig, readRuntimeConfig } from './config.ts';
import { publishEmf } from './emf-metrics.ts';
import { logger } from './logger.ts';
import type { Metrics } from './metrics.ts';
import { openStore, readVaultKeys } from './open-store.ts';

/** What a process keeps between invocations. */
export interface Runtime {
  readonly context: Context;
}

/** Gives the process's runtime; caches for itself. */
export type RuntimeSource = () => Promise<Runtime>;

export interface RuntimeOptions {
  readonly clockSkewToleranceMs: number;
  readonly clock?: (() => number) | undefined;
  /** What imported values are sealed with; absent: none can be imported. */
  readonly vaultKeys?: VaultKeys | (() => Promise<VaultKeys>) | undefined;
  /** How long events are kept. */
  readonly eventRetentionMs?: number | undefined;
  /** Where lapses are counted. */
  readonly metrics?: Metrics | undefined;
  /** Where the default pool has to be made. */
  readonly defaultPolicy?: PoolPolicy | undefined;
}

/** Wires the operations to a store. */
export function createRuntime(store: Store, options: RuntimeOptions): Runtime {
  const { clock = Date.now } = options;
  return {
    context: {
      store,
      pools: new PoolDirectory(store, options.defaultPolicy),
      counts: new PoolCounts(store),
      events: new EventLog(store, options.eventRetentionMs),
      vault: vaultSource(options.vaultKeys),
      clock,
      clockSkewToleranceMs: options.clockSkewToleranceMs,
      health: new HealthCheck(store, clock),
      onLapse: (pool, count) =>
        options.metrics?.([{ name: 'token_orchestrator_lapses_total', labels: { pool }, value: count }]),
    },
  };
}

/** A vault whose keys could not be read is not kept: the next use tries again. */
function vaultSource(keys: RuntimeOptions['vaultKeys']): Context['vault'] {
  let vault: Promise<ValueVault> | undefined;
  return async () => {
    if (keys === undefined) return undefined;
    vault ??= Promise.resolve(typeof keys === 'function' ? keys() : keys).then(
      (read) => new ValueVault(read),
    );
    try {
      return await vault;
    } catch (error) {
      vault = undefined;
      throw error;
    }
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

/** How long a function's start may wait for its database, in milliseconds; Lambda itself gives it ten seconds. */
const START_PATIENCE_MS = 1500;

/**
 * Awaited where a bundle is loaded. An environment that connects at its first invocation may be frozen in the middle of it,
 * as soon as that has responded; at the thaw the driver's time-outs have passed, and so on at each. A database that is away
 * fails no start: the invocation meets it again, and says so. SQLite has nothing to connect to.
 */
export async function connectEarly(): Promise<void> {
  try {
    const { MONGODB_URI, MONGODB_SECRET_ARN } = readRuntimeConfig();
    if (MONGODB_URI === undefined && MONGODB_SECRET_ARN === undefined) return;
    await answerWithin(connectAndCheckSchema(), START_PATIENCE_MS, undefined);
  } catch {
    // Opened again by the first invocation, which has somebody to tell.
  }
}

/** Says, once in an environment, that the database was prepared by another release. */
async function connectAndCheckSchema(): Promise<void> {
  const { context } = await lambdaRuntime();
  const schema = await context.store.schemaState();
  if (schema === 'older') logger.warn('database schema', { schema, remedy: 'npm run setup-database' });
  if (schema === 'newer') logger.warn('database schema', { schema, remedy: 'deploy that release again' });
}

async function open(config: RuntimeConfig): Promise<Runtime> {
  const store = await openStore(config);
  return createRuntime(store, { ...toRuntimeOptions(config), metrics: publishEmf });
}

export function toRuntimeOptions(config: RuntimeConfig): RuntimeOptions {
  const arn = config.VALUE_ENCRYPTION_SECRET_ARN;
  return {
    clockSkewToleranceMs: config.CLOCK_SKEW_TOLERANCE_MS,
    eventRetentionMs: config.EVENT_RETENTION_HOURS * 3_600_000,
    vaultKeys: config.VALUE_ENCRYPTION_KEY ?? (arn === undefined ? undefined : () => readVaultKeys(arn)),
    defaultPolicy: { ...DEFAULT_POLICY, targetSize: config.DEFAULT_POOL_SIZE ?? null },
  };
}

import type { PoolFigures } from '../domain/pool-counts.ts';
import { type MetricName, NO_POOL, type Sample } from '../runtime/metrics.ts';
import type { Facts } from './endpoint.ts';

/** What the line in the log tells of a request, as far as it is counted. */
export interface Entry extends Facts {
  readonly route: string;
  readonly status: number;
  readonly code?: string | undefined;
  readonly durationMs: number;
}

/** The samples of one request. */
export function measureRequest(entry: Entry): Sample[] {
  const { route, status, code, outcome, durationMs, heldMs, waitedMs, count = 1 } = entry;
  const pool = entry.pool ?? NO_POOL;
  const samples = [
    sample('request_duration_seconds', { route, status: `${Math.floor(status / 100)}xx` }, durationMs / 1000),
  ];
  // One who waits for a key is refused once, when it gives up, however often it has asked.
  if (code !== undefined && outcome !== 'waiting') samples.push(sample('refusals_total', { pool, code }, 1));
  switch (outcome) {
    case 'acquired':
    case 'repeated':
    case 'waiting':
      samples.push(sample('acquires_total', { pool, outcome }, count));
      break;
    case 'kept_alive':
      samples.push(sample('keep_alives_total', { pool }, 1));
      break;
    case 'released':
    case 'cooldown':
    case 'discarded':
    case 'release_repeated':
      samples.push(sample('releases_total', { pool, outcome }, 1));
      break;
    case undefined:
  }
  if (heldMs !== undefined) samples.push(sample('lease_hold_seconds', { pool }, heldMs / 1000));
  if (waitedMs !== undefined) samples.push(sample('lease_wait_seconds', { pool }, waitedMs / 1000));
  return samples;
}

/** The samples of one sweep. @param backlogMs undefined where it failed */
export function measureSweep(
  outcome: 'complete' | 'incomplete' | 'failed',
  durationMs: number,
  backlogMs?: number,
): Sample[] {
  return [
    sample('sweeps_total', { outcome }, 1),
    sample('sweep_duration_seconds', {}, durationMs / 1000),
    ...(backlogMs === undefined ? [] : [sample('sweep_backlog_seconds', {}, backlogMs / 1000)]),
  ];
}

/** A pool of fewer keys is meant to be taken whole: nobody wants to hear of it. */
const LEAST_WATCHED = 10;

/** The samples of the pools' figures. */
export function measurePools(figures: ReadonlyMap<string, PoolFigures>): Sample[] {
  const freeRatios = [...figures.values()]
    .map(({ free, leased, cooling }) => ({ free, all: free + leased + cooling }))
    .filter(({ all }) => all >= LEAST_WATCHED)
    .map(({ free, all }) => free / all);
  return [
    ...[...figures].flatMap(([pool, counts]) => [
      ...(['free', 'leased', 'cooling', 'paused'] as const).map((state) =>
        sample('keys', { pool, state }, counts[state]),
      ),
      sample('waiting', { pool }, counts.waiting),
    ]),
    sample('least_free_ratio', {}, Math.min(1, ...freeRatios)),
  ];
}

function sample<Name extends string>(
  name: `token_orchestrator_${Name}` extends MetricName ? Name : never,
  labels: Sample['labels'],
  value: number,
): Sample {
  return { name: `token_orchestrator_${name}` as MetricName, labels, value };
}

interface Metric {
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
  /** CloudWatch has it of all pools together as well: an alarm there cannot add series up that it does not know by name. */
  readonly acrossPools?: true;
  /** Of a histogram: the upper ends, in seconds. */
  readonly buckets?: readonly number[];
}

const QUICK = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const LONG = [0.5, 1, 5, 15, 60, 300, 900, 3600, 14_400, 86_400];

/** Every metric that there is, whoever publishes it. Labels are bounded: no client, no key, no holder is one. */
export const METRICS = {
  token_orchestrator_acquires_total: {
    kind: 'counter',
    help: 'Leases that acquires gave (acquired, repeated), and requests of those who wait for one and go on asking (waiting)',
    labels: ['pool', 'outcome'],
    acrossPools: true,
  },
  token_orchestrator_keep_alives_total: {
    kind: 'counter',
    help: 'Keep-alives that extended a lease',
    labels: ['pool'],
  },
  token_orchestrator_releases_total: {
    kind: 'counter',
    help: 'Releases by how the holder found the key; repeated: the lease had been released before',
    labels: ['pool', 'outcome'],
  },
  token_orchestrator_lapses_total: {
    kind: 'counter',
    help: 'Leases that ended because no keep-alive came, when somebody wrote it down',
    labels: ['pool'],
    acrossPools: true,
  },
  token_orchestrator_refusals_total: {
    kind: 'counter',
    help: 'Requests that ended in a problem document, by its code, but for those of acquires that wait and go on asking',
    labels: ['pool', 'code'],
    acrossPools: true,
  },
  token_orchestrator_lease_hold_seconds: {
    kind: 'histogram',
    help: 'From acquire to release',
    labels: ['pool'],
    buckets: LONG,
  },
  token_orchestrator_lease_wait_seconds: {
    kind: 'histogram',
    help: 'From ticket to lease, in fair pools',
    labels: ['pool'],
    buckets: LONG,
  },
  token_orchestrator_request_duration_seconds: {
    kind: 'histogram',
    help: 'What a function took for a request',
    labels: ['route', 'status'],
    buckets: QUICK,
  },
  token_orchestrator_sweeps_total: {
    kind: 'counter',
    help: 'Sweeps: complete, incomplete (out of time, the next one goes on), failed',
    labels: ['outcome'],
  },
  token_orchestrator_sweep_duration_seconds: {
    kind: 'histogram',
    help: 'What a sweep took',
    labels: [],
    buckets: QUICK,
  },
  token_orchestrator_sweep_backlog_seconds: {
    kind: 'gauge',
    help: 'For how long the oldest lapse that the latest sweep found had been waiting for one',
    labels: [],
  },
  token_orchestrator_keys: {
    kind: 'gauge',
    help: 'Keys by state at the latest sweep; 10001 stands for more than 10000',
    labels: ['pool', 'state'],
  },
  token_orchestrator_least_free_ratio: {
    kind: 'gauge',
    help: 'The least share of free keys that a pool of at least ten had at the latest sweep; 1: there is no such pool',
    labels: [],
  },
  token_orchestrator_waiting: {
    kind: 'gauge',
    help: 'Callers in the queue of a fair pool at the latest sweep; 10001 stands for more than 10000',
    labels: ['pool'],
  },
} as const satisfies Record<string, Metric>;

export type MetricName = keyof typeof METRICS;

/** One thing that happened, as often as `value` says, or was measured. */
export interface Sample {
  readonly name: MetricName;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Publishes samples. Those of a gauge come all at once: what is not among them is gone. */
export type Metrics = (samples: readonly Sample[]) => void;

/** So many pools have metrics of their own. */
export const MAX_POOLS = 50;

/** What the label `pool` is for a pool beyond {@link MAX_POOLS}, and where no pool is known: neither can be a name. */
const OTHER_POOLS = '_other';
export const NO_POOL = '_none';

/** Bounds the label `pool`: the first pools that this process meets have one of their own. */
export function limitPools(publish: Metrics): Metrics {
  const known = new Set([NO_POOL]);
  const labelOf = (pool: string): string => {
    if (known.size <= MAX_POOLS) known.add(pool);
    return known.has(pool) ? pool : OTHER_POOLS;
  };
  return (samples) =>
    publish(
      samples.map((sample) => {
        const { pool } = sample.labels;
        if (pool === undefined) return sample;
        const label = labelOf(pool);
        return label === pool ? sample : { ...sample, labels: { ...sample.labels, pool: label } };
      }),
    );
}

import type { Pool } from '../../../shared/contract/pools.ts';
import { Countdown } from '../components/countdown.tsx';
import { Badge } from '../components/state-badge.tsx';

/** `exhausted`: it has keys, but none is free; `keyless`: it has no keys. */
export type PoolCondition = 'ready' | 'exhausted' | 'keyless' | 'paused';

export function conditionOf({ counts, paused }: Pool): PoolCondition {
  if (Object.values(counts).every(({ count }) => count === 0)) return 'keyless';
  if (paused) return 'paused';
  return counts.free.count === 0 ? 'exhausted' : 'ready';
}

export function ConditionBadge({ pool }: { pool: Pool }) {
  switch (conditionOf(pool)) {
    case 'exhausted':
      return <Badge tone="danger">no free key</Badge>;
    case 'keyless':
      return <Badge tone="neutral">no keys</Badge>;
    case 'paused':
      return <Badge tone="cooling">paused</Badge>;
    case 'ready':
      return null;
  }
}

interface NextFreeProps {
  readonly pool: Pool;
  /** When the request of the numbers was sent, on the monotonic clock. */
  readonly sentAt: number;
}

/** What an acquire would find. */
export function NextFree({ pool, sentAt }: NextFreeProps) {
  if (pool.paused) return 'when resumed';
  if (pool.counts.free.count > 0) return 'now';
  if (pool.nextFreeInMs === null) return '–';
  return (
    <>
      in <Countdown until={sentAt + pool.nextFreeInMs} over="a moment" />
    </>
  );
}

import type { Pool } from '../../../shared/contract/pools.ts';
import { Countdown } from '../components/countdown.tsx';
import { Badge } from '../components/state-badge.tsx';
import { UsageBar } from '../components/usage-bar.tsx';
import { pathOf } from '../router.ts';
import { formatCount } from '../text/format-count.ts';
import { formatLength } from '../time/format-duration.ts';

/** `exhausted`: it has keys, but none is free; `keyless`: it has no keys. */
export type PoolCondition = 'ready' | 'exhausted' | 'keyless' | 'paused';

export function conditionOf({ counts, paused }: Pool): PoolCondition {
  if (counts.free.count + counts.leased.count + counts.cooling.count === 0) return 'keyless';
  if (paused) return 'paused';
  return counts.free.count === 0 ? 'exhausted' : 'ready';
}

interface PoolCardProps {
  readonly pool: Pool;
  /** When the request of the numbers was sent, on the monotonic clock. */
  readonly sentAt: number;
}

/** One pool in brief. The whole card is a link to it. */
export function PoolCard({ pool, sentAt }: PoolCardProps) {
  const condition = conditionOf(pool);
  const { counts } = pool;
  const frame = condition === 'exhausted' ? 'border-danger-line ring-1 ring-danger-line' : '';
  return (
    <article
      class={`card relative flex flex-col p-4 transition-shadow hover:shadow-float focus-within:shadow-float sm:p-5 ${frame}`}
      data-condition={condition}
    >
      <div class="flex items-start justify-between gap-3">
        <h3 class="min-w-0 truncate text-[0.9375rem] font-semibold">
          <a
            href={pathOf({ view: 'pool', pool: pool.pool })}
            title={pool.pool}
            class="rounded-sm after:absolute after:inset-0 after:rounded-[0.875rem] focus-visible:outline-none focus-visible:after:outline-2 focus-visible:after:outline-offset-2 focus-visible:after:outline-accent"
          >
            {pool.pool}
          </a>
        </h3>
        <ConditionBadge pool={pool} />
      </div>
      <dl class="mt-4 mb-4 grid grid-cols-3 gap-2">
        <Figure name="free" value={formatCount(counts.free)} alarming={condition === 'exhausted'} />
        <Figure name="leased" value={formatCount(counts.leased)} />
        <Figure name="cooling" value={formatCount(counts.cooling)} />
      </dl>
      <UsageBar counts={counts} />
      <p class="mt-3 flex flex-wrap justify-between gap-x-4 text-xs text-muted">
        <span>
          <Outlook pool={pool} sentAt={sentAt} />
        </span>
        <span>
          {pool.waiting.count > 0 && `${formatCount(pool.waiting)} waiting · `}
          {formatLength(pool.leaseSeconds)} lease
        </span>
      </p>
    </article>
  );
}

/** What an acquire would find now. The time of the next free key matters only while none is free. */
function Outlook({ pool, sentAt }: PoolCardProps) {
  switch (conditionOf(pool)) {
    case 'keyless':
      return pool.targetSize === null ? 'Create keys to use it' : 'Makes its keys itself';
    case 'paused':
      return 'Gives no new leases';
    case 'ready':
      return 'A key is free now';
    case 'exhausted':
      return (
        <>
          Next key free in <Countdown until={sentAt + (pool.nextFreeInMs ?? 0)} over="a moment" />
        </>
      );
  }
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

function Figure({ name, value, alarming = false }: { name: string; value: string; alarming?: boolean }) {
  return (
    <div class="flex flex-col-reverse">
      <dt class="text-xs text-muted">{name}</dt>
      <dd class={`text-xl font-semibold tracking-tight tabular-nums ${alarming ? 'text-danger' : ''}`}>
        {value}
      </dd>
    </div>
  );
}

import type { Pool } from '../../../shared/contract/pools.ts';
import { addCounts, formatCount, plural } from '../text/format-count.ts';
import { conditionOf } from './pool-card.tsx';

/** The keys of all pools together. */
export function PoolsSummary({ pools, stale }: { pools: readonly Pool[]; stale: string }) {
  const free = addCounts(pools.map(({ counts }) => counts.free));
  const leased = addCounts(pools.map(({ counts }) => counts.leased));
  const cooling = addCounts(pools.map(({ counts }) => counts.cooling));
  const exhausted = pools.filter((pool) => conditionOf(pool) === 'exhausted').length;
  const all = addCounts([free, leased, cooling]);
  return (
    <section aria-label="All pools together" class={`card grid grid-cols-2 md:grid-cols-4 ${stale}`}>
      <Total
        name="Leased now"
        value={formatCount(leased)}
        note={`of ${formatCount(all)} ${all.count === 1 ? 'key' : 'keys'}`}
        dot="fill-leased"
      />
      <Total name="Free" value={formatCount(free)} note="ready to acquire" dot="fill-free" />
      <Total name="Cooling" value={formatCount(cooling)} note="free again soon" dot="fill-cooling" />
      <Total
        name="Without a free key"
        value={String(exhausted)}
        note={`of ${plural(pools.length, 'pool')}`}
        alarming={exhausted > 0}
      />
    </section>
  );
}

interface TotalProps {
  readonly name: string;
  readonly value: string;
  readonly note: string;
  readonly dot?: string;
  readonly alarming?: boolean;
}

function Total({ name, value, note, dot, alarming = false }: TotalProps) {
  return (
    <div class="border-line p-4 not-last:border-r max-md:even:border-r-0 max-md:nth-[n+3]:border-t sm:px-6 sm:py-5">
      <p class="flex items-center gap-2 text-[0.8125rem] text-muted">
        {dot !== undefined && <span class={`size-2 rounded-full ${dot}`} aria-hidden="true" />}
        {name}
      </p>
      <p
        class={`mt-1 text-[1.75rem] leading-9 font-semibold tracking-tight tabular-nums sm:text-[2rem] sm:leading-10 ${alarming ? 'text-danger' : ''}`}
      >
        {value}
      </p>
      <p class="text-xs text-muted">{note}</p>
    </div>
  );
}

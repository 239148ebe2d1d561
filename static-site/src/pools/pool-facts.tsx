import type { Pool } from '../../../shared/contract/pools.ts';
import { FreshnessBadge } from '../components/freshness-badge.tsx';
import { UsageBar } from '../components/usage-bar.tsx';
import { formatCount } from '../text/format-count.ts';
import { formatPolicyField, policyControls, policyFieldNames } from './policy-controls.ts';
import { NextFree } from './pool-condition.tsx';
import type { PoolsFeed } from './pools-feed.ts';

/** The numbers of a pool, and its policy. */
export function PoolFacts({ pool, feed }: { pool: Pool; feed: PoolsFeed }) {
  const { counts } = pool;
  const isStale = feed.freshness.value === 'stale';
  return (
    <section class="card mb-5 p-4 sm:px-6 sm:py-5" aria-label="The pool now">
      <div class="float-right max-lg:float-none max-lg:mb-3">
        <FreshnessBadge feed={feed} />
      </div>
      <div class={isStale ? 'stale' : ''}>
        <dl class="grid grid-cols-3 gap-4 lg:flex lg:gap-x-10">
          <Fact name="Free" value={formatCount(counts.free)} />
          <Fact name="Leased" value={formatCount(counts.leased)} />
          <Fact name="Cooling" value={formatCount(counts.cooling)} />
          {counts.paused.count > 0 && <Fact name="Paused" value={formatCount(counts.paused)} />}
          {pool.fair && <Fact name="Waiting" value={formatCount(pool.waiting)} />}
          <Fact name="Next free" value={<NextFree pool={pool} sentAt={feed.sentAt.value} />} />
        </dl>
        <div class="mt-4">
          <UsageBar counts={counts} />
        </div>
        <details class="mt-3">
          <summary class="-mx-1 rounded-md px-1 text-[0.8125rem] text-muted hover:text-ink">Policy</summary>
          <dl class="mt-3 grid grid-cols-2 gap-x-4 gap-y-2.5 border-t border-line pt-3 text-[0.8125rem] sm:grid-cols-5">
            {policyFieldNames.map((field) => (
              <div key={field} data-policy={field}>
                <dt class="text-xs text-muted">{policyControls[field].name}</dt>
                <dd class="font-medium tabular-nums">{formatPolicyField(pool, field)}</dd>
              </div>
            ))}
          </dl>
        </details>
      </div>
    </section>
  );
}

function Fact({ name, value }: { name: string; value: preact.ComponentChildren }) {
  return (
    <div>
      <dt class="text-xs text-muted">{name}</dt>
      <dd class="text-2xl font-semibold tracking-tight whitespace-nowrap tabular-nums max-sm:text-xl">
        {value}
      </dd>
    </div>
  );
}

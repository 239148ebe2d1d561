import type { ComponentChildren } from 'preact';
import type { Pool } from '../../../shared/contract/pools.ts';
import { Sparkline } from '../components/sparkline.tsx';
import { UsageBar } from '../components/usage-bar.tsx';
import type { UsageStep } from '../components/usage-steps.ts';
import { pathOf } from '../router.ts';
import { formatCount } from '../text/format-count.ts';
import { ConditionBadge, conditionOf, NextFree } from './pool-condition.tsx';

/** More pools than this have lower rows. */
const ROOMY = 8;

interface PoolTableProps {
  readonly pools: readonly Pool[];
  readonly usage: ReadonlyMap<string, readonly UsageStep[]>;
  readonly span: { readonly from: number; readonly to: number };
  /** When the request of the numbers was sent, on the monotonic clock. */
  readonly sentAt: number;
}

/** All pools with their numbers, the exhausted ones first. A whole row is a link to its pool. */
export function PoolTable({ pools, usage, span, sentAt }: PoolTableProps) {
  const isExhausted = (pool: Pool): number => (conditionOf(pool) === 'exhausted' ? 0 : 1);
  const sorted = pools.toSorted((a, b) => isExhausted(a) - isExhausted(b));
  return (
    <table class="pool-table" data-dense={pools.length > ROOMY}>
      <caption class="sr-only">Pools, the exhausted ones first</caption>
      <thead>
        <tr>
          {['Pool', 'In use lately', 'Leased', 'Free', 'Cooling', 'Waiting', 'All keys', 'Next free key'].map(
            (name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ),
          )}
        </tr>
      </thead>
      <tbody>
        {sorted.map((pool) => (
          <PoolRow key={pool.pool} pool={pool} sentAt={sentAt}>
            <Sparkline points={usage.get(pool.pool) ?? []} {...span} />
          </PoolRow>
        ))}
      </tbody>
    </table>
  );
}

interface PoolRowProps {
  readonly pool: Pool;
  readonly sentAt: number;
  readonly children: ComponentChildren;
}

function PoolRow({ pool, sentAt, children }: PoolRowProps) {
  const { counts, waiting } = pool;
  const condition = conditionOf(pool);
  return (
    <tr data-condition={condition} data-pool={pool.pool}>
      <th scope="row">
        <div class="flex min-w-0 items-center gap-2.5">
          <a href={pathOf({ view: 'pool', pool: pool.pool })} title={pool.pool}>
            {pool.pool}
          </a>
          <ConditionBadge pool={pool} />
        </div>
      </th>
      <td class="pool-table-use">{children}</td>
      <td data-label="leased">{formatCount(counts.leased)}</td>
      <td data-label="free" class={condition === 'exhausted' ? 'text-danger' : ''}>
        {formatCount(counts.free)}
      </td>
      <td data-label="cooling">{formatCount(counts.cooling)}</td>
      <td data-label="waiting">{waiting.count === 0 ? '–' : formatCount(waiting)}</td>
      <td class="pool-table-bar">
        <UsageBar counts={counts} />
      </td>
      <td class="pool-table-next">
        <NextFree pool={pool} sentAt={sentAt} />
      </td>
    </tr>
  );
}

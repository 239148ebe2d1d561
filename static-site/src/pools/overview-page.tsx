import { useState } from 'preact/hooks';
import type { Pool } from '../../../shared/contract/pools.ts';
import type { Api } from '../api/api.ts';
import { EmptyState } from '../components/empty-state.tsx';
import { FreshnessBadge } from '../components/freshness-badge.tsx';
import { Icon } from '../components/icon.tsx';
import { Loading } from '../components/loading.tsx';
import { PageHeading } from '../components/page-heading.tsx';
import { CreateKeysDialog } from '../keys/create-keys-dialog.tsx';
import { navigate, pathOf } from '../router.ts';
import { canManage } from '../session/access.ts';
import type { SignedIn } from '../session/session.ts';
import { addCounts, type Count, formatCount, formatNumber } from '../text/format-count.ts';
import { CreatePoolDialog } from './policy-dialogs.tsx';
import { conditionOf } from './pool-condition.tsx';
import { PoolTable } from './pool-table.tsx';
import type { PoolsFeed } from './pools-feed.ts';
import { spanOf } from './usage-history.ts';
import { UsageSection } from './usage-section.tsx';

/** The least number of pools that get a filter. */
const FILTER_FROM = 9;

interface OverviewPageProps {
  readonly signedIn: SignedIn;
  readonly pools: PoolsFeed;
}

/** All pools now, and a chart of the last minutes. */
export function OverviewPage({ signedIn, pools: feed }: OverviewPageProps) {
  const [creating, setCreating] = useState<'pool' | 'keys' | undefined>(undefined);
  const pools = feed.value.value;
  const isManager = canManage(signedIn.caller);
  const isKeyless = pools?.every((pool) => conditionOf(pool) === 'keyless') ?? false;

  return (
    <>
      <PageHeading
        title="Overview"
        name="Overview"
        actions={
          isManager && (
            <button type="button" class="button button-plain" onClick={() => setCreating('pool')}>
              <Icon name="plus" /> Create pool
            </button>
          )
        }
      >
        {isKeyless &&
          'Programs acquire a key, keep it alive while they work, and release it. A key whose holder falls silent comes back by itself.'}
      </PageHeading>
      {pools === undefined ? (
        <Loading error={feed.error.value} shapes={['h-10', 'h-72', 'h-56']} />
      ) : (
        <div class="space-y-5">
          {isKeyless && (
            <FirstSteps
              canManage={isManager}
              onCreateKeys={() => setCreating('keys')}
              hasPools={pools.length > 0}
            />
          )}
          {pools.length > 0 && <Pools feed={feed} pools={pools} />}
          {!isKeyless && <Usage api={signedIn.api} feed={feed} pools={pools} />}
        </div>
      )}
      {creating === 'pool' && (
        <CreatePoolDialog
          api={signedIn.api}
          onClose={() => setCreating(undefined)}
          onSaved={(pool) => {
            feed.refresh();
            navigate({ view: 'pool', pool: pool.pool });
          }}
        />
      )}
      {creating === 'keys' && (
        <CreateKeysDialog
          api={signedIn.api}
          pool={pools?.[0]?.pool ?? 'default'}
          onClose={() => setCreating(undefined)}
          onCreated={() => feed.refresh()}
        />
      )}
    </>
  );
}

interface FeedProps {
  readonly feed: PoolsFeed;
  readonly pools: readonly Pool[];
}

/** The chosen pool's chart; at first that of the one that is used most. */
function Usage({ api, feed, pools }: FeedProps & { readonly api: Api }) {
  const [pool, setPool] = useState(() => mostUsed(pools));
  const chosen = pools.find(({ pool: name }) => name === pool) ?? pools[0];
  if (chosen === undefined) return null;
  const live = feed.history.value.pools.get(chosen.pool) ?? [];
  return (
    <UsageSection api={api} pool={chosen} live={live}>
      <select
        class="field w-auto max-w-full min-w-36"
        aria-label="Pool in the chart"
        value={chosen.pool}
        onChange={(event) => setPool(event.currentTarget.value)}
      >
        {pools.map(({ pool: name }) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
    </UsageSection>
  );
}

function mostUsed(pools: readonly Pool[]): string | undefined {
  const used = ({ counts: { leased, cooling } }: Pool): number => leased.count + cooling.count;
  return pools.toSorted((a, b) => used(b) - used(a))[0]?.pool;
}

function Pools({ feed, pools }: FeedProps) {
  const [filter, setFilter] = useState('');
  const shown = pools.filter(({ pool }) => pool.includes(filter.trim().toLowerCase()));
  const usage = feed.history.value.pools;
  return (
    <section class="card overflow-hidden" aria-labelledby="pools-heading">
      <div class="flex min-h-12 flex-wrap items-center gap-x-6 gap-y-1 px-4 py-2 sm:px-5">
        <h2 id="pools-heading" class="font-semibold">
          Pools
        </h2>
        <FreshnessBadge feed={feed} />
        <Totals pools={pools} />
        {pools.length >= FILTER_FROM && (
          <input
            type="search"
            class="field w-48"
            aria-label="Filter pools by name"
            placeholder="Filter by name"
            value={filter}
            onInput={(event) => setFilter(event.currentTarget.value)}
          />
        )}
      </div>
      <div class={staleClass(feed)}>
        {shown.length === 0 ? (
          <p class="border-t border-line p-5 text-muted">No pool has “{filter}” in its name.</p>
        ) : (
          <PoolTable
            pools={shown}
            usage={usage}
            span={spanOf(usage.values(), Date.now())}
            sentAt={feed.sentAt.value}
          />
        )}
      </div>
    </section>
  );
}

/** The keys of all pools together. */
function Totals({ pools }: { pools: readonly Pool[] }) {
  const sum = (state: keyof Pool['counts']): Count => addCounts(pools.map(({ counts }) => counts[state]));
  const [leased, free, cooling, paused] = [sum('leased'), sum('free'), sum('cooling'), sum('paused')];
  const exhausted = pools.filter((pool) => conditionOf(pool) === 'exhausted').length;
  return (
    <dl
      class="flex flex-wrap gap-x-5 gap-y-1 text-[0.8125rem] text-muted tabular-nums"
      aria-label="All pools together"
    >
      <Total
        name="Leased"
        value={`${formatCount(leased)} of ${formatCount(addCounts([leased, free, cooling, paused]))}`}
      />
      <Total name="Free" value={formatCount(free)} />
      <Total name="Cooling" value={formatCount(cooling)} />
      {paused.count > 0 && <Total name="Paused" value={formatCount(paused)} />}
      <Total name="Exhausted pools" value={formatNumber(exhausted)} alarming={exhausted > 0} />
    </dl>
  );
}

function Total({ name, value, alarming = false }: { name: string; value: string; alarming?: boolean }) {
  return (
    <div class="flex gap-1.5">
      <dt>{name}</dt>
      <dd class={`font-semibold ${alarming ? 'text-danger' : 'text-ink'}`}>{value}</dd>
    </div>
  );
}

interface FirstStepsProps {
  readonly canManage: boolean;
  readonly hasPools: boolean;
  readonly onCreateKeys: () => void;
}

function FirstSteps({ canManage, hasPools, onCreateKeys }: FirstStepsProps) {
  if (!canManage || !hasPools) {
    return (
      <div class="card">
        <EmptyState icon="key" title={hasPools ? 'No keys yet' : 'No pools to see'}>
          {hasPools
            ? 'An admin creates them; they appear here at once.'
            : 'This credential may see no pool that exists.'}
        </EmptyState>
      </div>
    );
  }
  return (
    <div class="card">
      <EmptyState
        icon="key"
        title="No keys yet"
        action={
          <>
            <button type="button" class="button button-primary" onClick={onCreateKeys}>
              <Icon name="plus" /> Create keys
            </button>
            <a class="button button-plain" href={pathOf({ view: 'try-it' })}>
              Then try it <Icon name="arrow" />
            </a>
          </>
        }
      >
        A key stands for one of your interchangeable things: a seat, a slot, an account. Create as many as you
        have.
      </EmptyState>
    </div>
  );
}

function staleClass(feed: PoolsFeed): string {
  return feed.freshness.value === 'stale' ? 'stale' : '';
}

import { useState } from 'preact/hooks';
import type { Pool } from '../../../shared/contract/pools.ts';
import { EmptyState } from '../components/empty-state.tsx';
import { FreshnessBadge } from '../components/freshness-badge.tsx';
import { Icon } from '../components/icon.tsx';
import { Loading } from '../components/loading.tsx';
import { PageHeading } from '../components/page-heading.tsx';
import { CreateKeysDialog } from '../keys/create-keys-dialog.tsx';
import { navigate, pathOf } from '../router.ts';
import { canManage } from '../session/access.ts';
import type { SignedIn } from '../session/session.ts';
import { CreatePoolDialog } from './policy-dialogs.tsx';
import { conditionOf, PoolCard } from './pool-card.tsx';
import type { PoolsFeed } from './pools-feed.ts';
import { PoolsSummary } from './pools-summary.tsx';
import { UsageChart } from './usage-chart.tsx';

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
        Programs acquire a key, keep it alive while they work, and release it. A key whose holder falls silent
        comes back by itself.
      </PageHeading>
      {pools === undefined ? (
        <Loading error={feed.error.value} shapes={['h-28', 'h-64', 'h-44']} />
      ) : (
        <div class="space-y-5">
          {isKeyless && (
            <FirstSteps
              canManage={isManager}
              onCreateKeys={() => setCreating('keys')}
              hasPools={pools.length > 0}
            />
          )}
          {!isKeyless && <PoolsSummary pools={pools} stale={staleClass(feed)} />}
          {!isKeyless && <Usage feed={feed} pools={pools} />}
          {pools.length > 0 && <Pools feed={feed} pools={pools} />}
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

function Usage({ feed, pools }: FeedProps) {
  const [pool, setPool] = useState('');
  const chosen = pools.some(({ pool: name }) => name === pool) ? pool : undefined;
  return (
    <section class="card p-4 sm:p-6" aria-labelledby="usage-heading">
      <div class="mb-3 flex flex-wrap items-center justify-between gap-3">
        <div class="flex items-center gap-4">
          <h2 id="usage-heading" class="font-semibold">
            The last minutes
          </h2>
          <FreshnessBadge feed={feed} />
        </div>
        {pools.length > 1 && (
          <select
            class="field w-auto max-w-full min-w-36"
            aria-label="Pool in the chart"
            value={chosen ?? ''}
            onChange={(event) => setPool(event.currentTarget.value)}
          >
            <option value="">All pools</option>
            {pools.map(({ pool: name }) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        )}
      </div>
      <UsageChart history={feed.history.value} pool={chosen} height={210} />
    </section>
  );
}

function Pools({ feed, pools }: FeedProps) {
  const [filter, setFilter] = useState('');
  const shown = pools.filter(({ pool }) => pool.includes(filter.trim().toLowerCase()));
  return (
    <section aria-labelledby="pools-heading">
      <div class="mt-8 mb-3 flex flex-wrap items-center justify-between gap-3">
        <h2 id="pools-heading" class="font-semibold">
          Pools
        </h2>
        {pools.length >= FILTER_FROM && (
          <input
            type="search"
            class="field w-56"
            aria-label="Filter pools by name"
            placeholder="Filter by name"
            value={filter}
            onInput={(event) => setFilter(event.currentTarget.value)}
          />
        )}
      </div>
      {shown.length === 0 && <p class="card p-6 text-muted">No pool has “{filter}” in its name.</p>}
      <ul class={`grid grid-cols-[repeat(auto-fill,minmax(min(100%,19rem),1fr))] gap-4 ${staleClass(feed)}`}>
        {shown.map((pool) => (
          <li key={pool.pool} class="grid">
            <PoolCard pool={pool} sentAt={feed.sentAt.value} />
          </li>
        ))}
      </ul>
    </section>
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

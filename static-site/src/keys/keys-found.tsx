import type { Pool } from '../../../shared/contract/pools.ts';
import { EmptyState } from '../components/empty-state.tsx';
import { Icon } from '../components/icon.tsx';
import { Loading } from '../components/loading.tsx';
import { formatNumber } from '../text/format-count.ts';
import type { KeyFilterValue } from './key-filter.tsx';
import type { KeyList } from './key-list.ts';
import type { KeyProgress } from './key-pages.ts';
import { KeyTable, type KeyTableProps } from './key-table.tsx';
import { FIRST_SORT } from './sort-keys.ts';

interface KeysFoundProps
  extends Pick<KeyTableProps, 'list' | 'selected' | 'onSelect' | 'onOpen' | 'onAction'> {
  readonly pool: Pool;
  readonly filter: KeyFilterValue;
  readonly canManage: boolean;
  readonly onClear: () => void;
  readonly onCreateKeys: () => void;
}

/** The keys that match the filter, or why there are none. */
export function KeysFound({ pool, filter, canManage, onClear, onCreateKeys, ...table }: KeysFoundProps) {
  const { list } = table;
  const rows = list.rows.value;
  if (rows === undefined) {
    return <Loading error={list.error.value} shapes={['h-9', 'h-9', 'h-9', 'h-9', 'h-9', 'h-9']} inset />;
  }
  const progress = list.progress.value;
  if (rows.length === 0) {
    if (progress !== 'complete') return <NothingYet list={list} />;
    const isFiltered = filter.state !== undefined || filter.search !== undefined;
    return isFiltered ? (
      <NothingFound filter={filter} onClear={onClear} />
    ) : (
      <NoKeys canManage={canManage} pool={pool} onCreateKeys={onCreateKeys} />
    );
  }
  return (
    <>
      <Partial list={list} count={rows.length} />
      <KeyTable
        {...table}
        rows={rows}
        leaseMs={pool.leaseSeconds * 1000}
        lifeMs={pool.keyTtlSeconds === null ? null : pool.keyTtlSeconds * 1000}
      />
      <div class="flex min-h-12 items-center justify-center gap-3 px-4 text-xs text-muted">
        <span role="status">{countRows(rows.length, progress)}</span>
        <SearchButton list={list} />
      </div>
    </>
  );
}

/** A sorted list that is not whole may lack what should be its first row. */
function Partial({ list, count }: { list: KeyList; count: number }) {
  const { column, descending } = list.sort.value;
  const isFirst = column === FIRST_SORT.column && descending === FIRST_SORT.descending;
  if (isFirst || list.progress.value === 'complete') return null;
  return (
    <p class="flex flex-wrap items-center gap-3 border-b border-line px-4 py-2 text-xs text-muted sm:px-5">
      <span role="status">Sorted among the {formatNumber(count)} keys that are loaded.</span>
      <button type="button" class="button button-plain min-h-8" onClick={() => list.loadAll()}>
        Load up to 10,000
      </button>
    </p>
  );
}

function countRows(count: number, progress: KeyProgress): string {
  switch (progress) {
    case 'complete':
      return count === 1 ? 'The only one' : `All ${formatNumber(count)}`;
    case 'searching':
      return `${formatNumber(count)} found, searching…`;
    case 'paused':
    case 'more':
      return `${formatNumber(count)} so far`;
  }
}

/** Pauses the search for more rows, or goes on with it. */
function SearchButton({ list }: { list: KeyList }) {
  switch (list.progress.value) {
    case 'searching':
      return (
        <button type="button" class="button button-plain" onClick={() => list.pause()}>
          Stop
        </button>
      );
    case 'paused':
      return (
        <button type="button" class="button button-plain" onClick={() => list.goOn()}>
          Search on
        </button>
      );
    default:
      return null;
  }
}

/** Shown while all pages so far are empty. */
function NothingYet({ list }: { list: KeyList }) {
  const isPaused = list.progress.value === 'paused';
  return (
    <EmptyState
      icon="search"
      title={isPaused ? 'Nothing so far' : 'Searching…'}
      action={<SearchButton list={list} />}
    >
      {isPaused ? 'There are keys that were not looked at.' : 'The pool is large; this may take a while.'}
    </EmptyState>
  );
}

function NothingFound({ filter, onClear }: { filter: KeyFilterValue; onClear: () => void }) {
  return (
    <EmptyState
      icon="search"
      title={filter.state === undefined ? 'No such key' : `No ${filter.state} key`}
      action={
        <button type="button" class="button button-plain" onClick={onClear}>
          Show all keys
        </button>
      }
    >
      {filter.search === undefined
        ? `No key of the pool is ${filter.state} right now.`
        : `No id, no holder and no label contains “${filter.search}”.`}
    </EmptyState>
  );
}

function NoKeys({
  canManage,
  pool,
  onCreateKeys,
}: {
  canManage: boolean;
  pool: Pool;
  onCreateKeys: () => void;
}) {
  return (
    <EmptyState
      icon="key"
      title="No keys in this pool"
      action={
        canManage &&
        pool.targetSize === null && (
          <button type="button" class="button button-primary" onClick={onCreateKeys}>
            <Icon name="plus" /> Create keys
          </button>
        )
      }
    >
      {whyNoKeys(pool)}
    </EmptyState>
  );
}

function whyNoKeys({ targetSize, keyTtlSeconds }: Pool): string {
  if (targetSize === 0) return 'Its target size is 0; the policy says so.';
  if (targetSize !== null) return 'The pool makes its own: at the next acquire, or within a minute.';
  return keyTtlSeconds === null
    ? 'Nobody can acquire one until an admin creates some.'
    : 'They expire unless they are used or refreshed; the policy says when.';
}

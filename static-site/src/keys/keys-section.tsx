import { useCallback, useEffect, useMemo, useState } from 'preact/hooks';
import type { Key } from '../../../shared/contract/keys.ts';
import type { Pool } from '../../../shared/contract/pools.ts';
import { explainError, explainOutage } from '../api/explain-error.ts';
import { EmptyState } from '../components/empty-state.tsx';
import { Icon } from '../components/icon.tsx';
import { ErrorNotice } from '../components/notice.tsx';
import { announce } from '../components/toasts.tsx';
import { canManage } from '../session/access.ts';
import { endSessionIfRejected, type SignedIn } from '../session/session.ts';
import { formatNumber } from '../text/format-count.ts';
import { EndLeaseDialog } from './end-lease-dialog.tsx';
import { KeyFilter, type KeyFilterValue, readFilter, writeFilter } from './key-filter.tsx';
import { createKeyList, type KeyList, type KeyListProgress } from './key-list.ts';
import { type KeyAction, KeyTable } from './key-table.tsx';

interface KeysSectionProps {
  readonly signedIn: SignedIn;
  readonly pool: Pool;
  /** Grows when keys were created or the pool was emptied. */
  readonly changes: number;
  readonly onChanged: () => void;
  readonly onCreateKeys: () => void;
}

/** The pool's keys: found, followed and acted upon. */
export function KeysSection({ signedIn, pool, changes, onChanged, onCreateKeys }: KeysSectionProps) {
  const { api, caller } = signedIn;
  const [filter, setFilter] = useState<KeyFilterValue>(readFilter);
  const [asked, setAsked] = useState<{ kind: 'unblock' | 'delete'; key: Key } | undefined>(undefined);
  const list = useMemo(() => createKeyList(api, { pool: pool.pool, ...filter }), [api, pool.pool, filter]);
  useEffect(() => () => list.stop(), [list]);
  useEffect(() => {
    if (changes > 0) list.refresh();
  }, [changes, list]);

  const onFilter = useCallback((value: KeyFilterValue) => {
    writeFilter(value);
    setFilter(value);
  }, []);
  // The rows are rendered again only when what they are given changes.
  const onAction = useCallback(
    async (action: KeyAction, key: Key): Promise<void> => {
      if (action !== 'refresh') return setAsked({ kind: action, key });
      try {
        const { body, sentAt } = await api.refreshKey(key.keyId);
        list.replace(body, sentAt);
        announce('Key refreshed: its life starts again');
      } catch (error) {
        endSessionIfRejected(error);
        announce(explainError(error));
        list.refresh();
      }
    },
    [api, list],
  );
  // The lease that the dialog showed, and no other: somebody may have acquired the key since.
  const endLease = async (kind: 'unblock' | 'delete', key: Key, force: boolean): Promise<void> => {
    const { keyId, fencingToken } = key;
    try {
      if (kind === 'unblock') {
        const { body, sentAt } = await api.unblockKey(keyId, { force, fencingToken });
        list.replace(body, sentAt);
        announce(body.state === 'free' ? 'Key unblocked: it is free' : 'Key unblocked: it cools');
      } else {
        await api.deleteKey(keyId, { force, fencingToken });
        list.remove(keyId);
        announce('Key deleted');
      }
    } catch (error) {
      list.refresh();
      throw error;
    } finally {
      onChanged();
    }
  };

  return (
    <section class="card" aria-labelledby="keys-heading">
      <h2 id="keys-heading" class="sr-only">
        Keys
      </h2>
      <KeyFilter value={filter} onChange={onFilter} />
      <Rows
        list={list}
        pool={pool}
        filter={filter}
        canManage={canManage(caller)}
        onAction={onAction}
        onClear={() => onFilter({ state: undefined, search: undefined })}
        onCreateKeys={onCreateKeys}
      />
      {asked !== undefined && (
        <EndLeaseDialog
          kind={asked.kind}
          target={asked.key}
          onClose={() => setAsked(undefined)}
          onConfirm={(force) => endLease(asked.kind, asked.key, force)}
        />
      )}
    </section>
  );
}

interface RowsProps {
  readonly list: KeyList;
  readonly pool: Pool;
  readonly filter: KeyFilterValue;
  readonly canManage: boolean;
  readonly onAction: (action: KeyAction, key: Key) => Promise<void>;
  readonly onClear: () => void;
  readonly onCreateKeys: () => void;
}

function Rows({ list, pool, filter, canManage, onAction, onClear, onCreateKeys }: RowsProps) {
  const rows = list.rows.value;
  if (rows === undefined) {
    return list.error.value === undefined ? (
      <LoadingRows />
    ) : (
      <div class="p-5 pt-1">
        <ErrorNotice error={list.error.value} explain={explainOutage} />
      </div>
    );
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
      <KeyTable
        list={list}
        rows={rows}
        leaseMs={pool.leaseSeconds * 1000}
        lifeMs={pool.keyTtlSeconds === null ? null : pool.keyTtlSeconds * 1000}
        canManage={canManage}
        onAction={onAction}
      />
      <div class="flex min-h-12 items-center justify-center gap-3 px-4 text-xs text-muted">
        <span role="status">{countRows(rows.length, progress)}</span>
        <SearchButton list={list} />
      </div>
    </>
  );
}

function countRows(count: number, progress: KeyListProgress): string {
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

/** Stops the search for more rows, or takes it up again. */
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

/** The service looks through a large pool piece by piece. */
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
        : `No id and no holder starts with “${filter.search}”. Capitals matter.`}
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
        canManage && (
          <button type="button" class="button button-primary" onClick={onCreateKeys}>
            <Icon name="plus" /> Create keys
          </button>
        )
      }
    >
      {pool.keyTtlSeconds === null
        ? 'Nobody can acquire one until an admin creates some.'
        : 'They expire unless they are used or refreshed; the policy says when.'}
    </EmptyState>
  );
}

function LoadingRows() {
  return (
    <div aria-busy="true" class="space-y-3 p-5">
      <p class="sr-only">Loading keys</p>
      {[0, 1, 2, 3, 4, 5].map((row) => (
        <div key={row} class="skeleton h-9" />
      ))}
    </div>
  );
}

import { useEffect, useMemo, useState } from 'preact/hooks';
import type { Key } from '../../../shared/contract/keys.ts';
import type { Pool } from '../../../shared/contract/pools.ts';
import { EmptyState } from '../components/empty-state.tsx';
import { FreshnessBadge } from '../components/freshness-badge.tsx';
import { Loading } from '../components/loading.tsx';
import { PageHeading } from '../components/page-heading.tsx';
import { announce } from '../components/toasts.tsx';
import { BulkDialog } from '../keys/bulk-dialog.tsx';
import { EndLeaseDialog } from '../keys/end-lease-dialog.tsx';
import { replace } from '../router.ts';
import { canManage } from '../session/access.ts';
import type { SignedIn } from '../session/session.ts';
import { formatNumber, plural } from '../text/format-count.ts';
import { HolderTable } from './holder-table.tsx';
import { createHoldersFeed, type HeldKey, MOST_OF_A_POOL } from './holders-feed.ts';

/** How many leases are shown at first, and how many more on demand. */
const SHOWN = 100;

interface HoldersPageProps {
  readonly signedIn: SignedIn;
  readonly pools: { readonly value: readonly Pool[] | undefined };
  readonly pool: string | undefined;
  readonly client: string | undefined;
}

/** Who holds what, in all pools, the oldest lease first. */
export function HoldersPage({ signedIn, pools, pool, client }: HoldersPageProps) {
  const { api, caller } = signedIn;
  const feed = useMemo(() => createHoldersFeed(api, pools), [api, pools]);
  useEffect(() => () => feed.stop(), [feed]);
  const [text, setText] = useState('');
  const [shown, setShown] = useState(SHOWN);
  const [ending, setEnding] = useState<HeldKey | undefined>(undefined);
  const [ended, setEnded] = useState<readonly Key[] | undefined>(undefined);
  const answer = feed.value.value;
  const wanted = text.trim().toLowerCase();
  const held = answer?.held.filter(
    ({ key: { pool: ofPool, keyId, lease } }) =>
      (pool === undefined || ofPool === pool) &&
      (client === undefined || lease.clientId === client) &&
      [keyId, lease.holder ?? '', lease.clientId].some((part) => part.toLowerCase().includes(wanted)),
  );
  const end = async ({ keyId, fencingToken }: Key, force: boolean): Promise<void> => {
    await api.unblockKey(keyId, { force, fencingToken });
  };
  const isManager = canManage(caller);
  return (
    <>
      <PageHeading title="Holders" name="Holders" />
      <section class="card overflow-hidden" aria-labelledby="leases-heading">
        <h2 id="leases-heading" class="sr-only">
          Leases
        </h2>
        <div class="flex flex-wrap items-center gap-3 border-b border-line p-3 sm:px-5">
          <input
            type="search"
            class="field min-w-0 flex-1 basis-56"
            aria-label="Filter by holder, client id or key id"
            placeholder="Holder, client id or key id contains…"
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
          />
          <select
            class="field w-auto max-w-full"
            aria-label="Pool"
            value={pool ?? ''}
            onChange={(event) => replace({ view: 'holders', pool: event.currentTarget.value, client })}
          >
            <option value="">All pools</option>
            {pools.value?.map(({ pool: name }) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
          {client !== undefined && (
            <button
              type="button"
              class="button button-plain"
              onClick={() => replace({ view: 'holders', pool })}
            >
              Every client
            </button>
          )}
          <FreshnessBadge feed={feed} />
        </div>
        {held === undefined || answer === undefined ? (
          <Loading error={feed.error.value} shapes={Array.from({ length: 6 }, () => 'h-9')} inset />
        ) : held.length === 0 ? (
          <EmptyState icon="person" title="Nobody holds a key">
            {answer.held.length === 0 ? 'No key of any pool is leased right now.' : 'No lease matches.'}
          </EmptyState>
        ) : (
          <>
            <div class="flex min-h-11 flex-wrap items-center justify-between gap-2 border-b border-line px-4 py-1.5 text-xs text-muted sm:px-5">
              <span role="status">
                {plural(held.length, 'lease')}, the oldest first
                {answer.isPartial && `; of a pool the first ${formatNumber(MOST_OF_A_POOL)} that were found`}
              </span>
              {isManager && client !== undefined && (
                <button
                  type="button"
                  class="button button-plain min-h-8"
                  onClick={() => setEnded(held.map(({ key }) => key))}
                >
                  End all leases of {client}
                </button>
              )}
            </div>
            <HolderTable held={held.slice(0, shown)} onEnd={isManager ? setEnding : undefined} />
            {held.length > shown && (
              <div class="flex min-h-12 items-center justify-center border-t border-line">
                <button type="button" class="button button-plain" onClick={() => setShown(shown + SHOWN)}>
                  Show more
                </button>
              </div>
            )}
          </>
        )}
      </section>
      {ending !== undefined && (
        <EndLeaseDialog
          kind="unblock"
          target={ending.key}
          onClose={() => setEnding(undefined)}
          onConfirm={async (force) => {
            await end(ending.key, force).finally(() => feed.refresh());
            announce('Lease ended');
          }}
        />
      )}
      {ended !== undefined && (
        <BulkDialog
          action="unblock"
          keys={ended}
          onEach={end}
          onClose={() => {
            setEnded(undefined);
            feed.refresh();
          }}
        />
      )}
    </>
  );
}

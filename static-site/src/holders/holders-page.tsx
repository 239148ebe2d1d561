import { useEffect, useMemo, useState } from 'preact/hooks';
import type { Pool } from '../../../shared/contract/pools.ts';
import { EmptyState } from '../components/empty-state.tsx';
import { FreshnessBadge } from '../components/freshness-badge.tsx';
import { Loading } from '../components/loading.tsx';
import { PageHeading } from '../components/page-heading.tsx';
import { announce } from '../components/toasts.tsx';
import { BulkDialog, type ListedKey } from '../keys/bulk-dialog.tsx';
import { EndLeaseDialog } from '../keys/end-lease-dialog.tsx';
import { replace } from '../router.ts';
import { canManage } from '../session/access.ts';
import type { SignedIn } from '../session/session.ts';
import { plural } from '../text/format-count.ts';
import { HolderTable } from './holder-table.tsx';
import { createHoldersFeed, type HeldKey } from './holders-feed.ts';

/** The search starts when typing has paused for this long, in milliseconds. */
const TYPING_MS = 250;

interface HoldersPageProps {
  readonly signedIn: SignedIn;
  readonly pools: { readonly value: readonly Pool[] | undefined };
  readonly pool: string | undefined;
  readonly client: string | undefined;
}

/** Who holds what, in all pools, the oldest lease first. */
export function HoldersPage({ signedIn, pools, pool, client }: HoldersPageProps) {
  const { api, caller } = signedIn;
  const [text, setText] = useState('');
  const [holder, setHolder] = useState<string | undefined>(undefined);
  useEffect(() => {
    const timer = setTimeout(() => setHolder(text.trim() || undefined), TYPING_MS);
    return () => clearTimeout(timer);
  }, [text]);
  const feed = useMemo(() => createHoldersFeed(api, { pool, client, holder }), [api, pool, client, holder]);
  useEffect(() => () => feed.stop(), [feed]);
  const [ending, setEnding] = useState<HeldKey | undefined>(undefined);
  const [ended, setEnded] = useState<readonly HeldKey[] | undefined>(undefined);
  const answer = feed.value.value;
  const isFiltered = [pool, client, holder].some((part) => part !== undefined);
  const end = async ({ keyId, fencingToken }: Omit<ListedKey, 'state'>, force: boolean): Promise<void> => {
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
            aria-label="Filter by holder"
            placeholder="Holder contains…"
            maxLength={200}
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
        {answer === undefined ? (
          <Loading error={feed.error.value} shapes={Array.from({ length: 6 }, () => 'h-9')} inset />
        ) : answer.held.length === 0 && !answer.isPartial ? (
          <EmptyState icon="person" title="Nobody holds a key">
            {isFiltered ? 'No lease matches.' : 'No key of any pool is leased right now.'}
          </EmptyState>
        ) : (
          <>
            <div class="flex min-h-11 flex-wrap items-center justify-between gap-2 border-b border-line px-4 py-1.5 text-xs text-muted sm:px-5">
              <span role="status">
                {plural(answer.held.length, 'lease')}
                {answer.isPartial
                  ? ' so far, the oldest first (a hundred clients at a time); more may follow'
                  : ', the oldest first'}
              </span>
              {isManager && client !== undefined && answer.held.length > 0 && (
                <button
                  type="button"
                  class="button button-plain min-h-8"
                  onClick={() => setEnded(answer.held)}
                >
                  {answer.isPartial ? 'End these leases of' : 'End all leases of'} {client}
                </button>
              )}
            </div>
            <HolderTable held={answer.held} onEnd={isManager ? setEnding : undefined} />
            {answer.isPartial && (
              <div class="flex min-h-12 items-center justify-center border-t border-line">
                <button
                  type="button"
                  class="button button-plain"
                  onClick={() => {
                    feed.pages.value += 1;
                    feed.refresh();
                  }}
                >
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
          target={{ ...ending, state: 'leased', lease: ending }}
          onClose={() => setEnding(undefined)}
          onConfirm={async (force) => {
            await end(ending, force).finally(() => feed.refresh());
            announce('Lease ended');
          }}
        />
      )}
      {ended !== undefined && (
        <BulkDialog
          action="unblock"
          keys={ended.map((each) => ({ ...each, state: 'leased' }))}
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

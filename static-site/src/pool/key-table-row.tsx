import { useComputed } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import type { Key } from '../../../shared/contract/keys.ts';
import { CopyButton } from '../components/copy-button.tsx';
import { Countdown } from '../components/countdown.tsx';
import { DrainBar } from '../components/drain-bar.tsx';
import { Icon, type IconName } from '../components/icon.tsx';
import { StateBadge } from '../components/state-badge.tsx';
import { staleAfterMs } from '../poll/feed.ts';
import { nowMs } from '../time/clock.ts';
import { TimeText } from '../time/time-text.tsx';
import { KEYS_EVERY_MS, type KeyList, type KeyRow } from './key-list.ts';
import type { KeyAction } from './key-table.tsx';

export const WIDE_COLUMNS =
  'lg:grid-cols-[5rem_minmax(9rem,2fr)_minmax(7rem,1.2fr)_5.5rem_minmax(5.5rem,0.8fr)_minmax(5.5rem,0.8fr)_7.5rem_6.25rem]';

const STALE_AFTER_MS = staleAfterMs(KEYS_EVERY_MS);

interface KeyTableRowProps {
  readonly row: KeyRow;
  readonly index: number;
  readonly heightPx: number;
  readonly list: KeyList;
  readonly leaseMs: number;
  readonly lifeMs: number | null;
  readonly canManage: boolean;
  readonly onAction: (action: KeyAction, key: Key) => void;
}

export function KeyTableRow({
  row,
  index,
  heightPx,
  list,
  leaseMs,
  lifeMs,
  canManage,
  onAction,
}: KeyTableRowProps) {
  const { key, sentAt } = row;
  const { keyId, lease, state } = key;
  const freshness = useComputed(() =>
    list.error.value !== undefined || nowMs.value - sentAt > STALE_AFTER_MS ? 'stale' : '',
  );
  return (
    // biome-ignore lint/a11y/useSemanticElements: see key-table.tsx
    // biome-ignore lint/a11y/useFocusableInteractive: a row is not interactive
    <div
      role="row"
      aria-rowindex={index + 2}
      class="absolute inset-x-0 border-b border-line hover:bg-sunken/50"
      style={{ top: `${index * heightPx}px`, height: `${heightPx}px` }}
      data-key={keyId}
      data-state={state}
    >
      <div
        role="none"
        class={useComputed(
          () =>
            `grid h-full items-center gap-x-4 gap-y-1 px-4 max-lg:grid-cols-2 max-lg:py-3 lg:px-5 ${WIDE_COLUMNS} ${freshness.value}`,
        )}
      >
        <Cell class="max-lg:order-2 max-lg:justify-self-end max-lg:pr-1">
          <StateBadge state={state} />
        </Cell>
        <Cell class="flex min-w-0 items-center max-lg:order-1">
          <span class="truncate font-mono text-[0.8125rem]" title={keyId}>
            {keyId}
          </span>
          <CopyButton text={keyId} name={`key id ${keyId}`} />
        </Cell>
        <Cell class="min-w-0 leading-tight max-lg:order-3">
          {lease === undefined ? (
            <Nothing>nobody</Nothing>
          ) : (
            <>
              <div class="truncate" title={lease.holder ?? lease.clientId}>
                {lease.holder ?? 'no label'}
              </div>
              <div class="truncate font-mono text-xs text-muted" title={lease.clientId}>
                {lease.clientId}
              </div>
            </>
          )}
        </Cell>
        <Cell class="text-[0.8125rem] tabular-nums max-lg:order-4 max-lg:justify-self-end max-lg:pr-1">
          {lease === undefined ? <Nothing>not held</Nothing> : <TimeText iso={lease.acquiredAt} />}
        </Cell>
        <Cell class="max-lg:order-5" label="Lease">
          <LeaseCell row={row} leaseMs={leaseMs} />
        </Cell>
        <Cell class="max-lg:order-6" label="Life">
          <LifeCell row={row} lifeMs={lifeMs} />
        </Cell>
        <Cell
          class="truncate text-[0.8125rem] tabular-nums max-lg:order-7 max-lg:text-xs max-lg:text-muted"
          label="Token"
          inline
        >
          {key.fencingToken}
        </Cell>
        <Cell class="-mr-2 flex justify-end max-lg:order-8">
          {canManage && (
            <>
              <RowButton icon="refresh" name={`Refresh ${keyId}`} onClick={() => onAction('refresh', key)} />
              {state !== 'free' && (
                <RowButton icon="unlock" name={`Unblock ${keyId}`} onClick={() => onAction('unblock', key)} />
              )}
              <RowButton icon="trash" name={`Delete ${keyId}`} onClick={() => onAction('delete', key)} />
            </>
          )}
        </Cell>
      </div>
    </div>
  );
}

function LeaseCell({ row, leaseMs }: { row: KeyRow; leaseMs: number }) {
  const { key, sentAt } = row;
  if (key.lease !== undefined) {
    const until = sentAt + key.lease.expiresInMs;
    return (
      <Running title={`The lease ends at ${key.lease.expiresAt}`} until={until} over="ended">
        <DrainBar until={until} fullMs={leaseMs} tone="leased" />
      </Running>
    );
  }
  if (key.freeInMs !== undefined) {
    const until = sentAt + key.freeInMs;
    return (
      <Running title="The lease is over; the key is free after this" until={until} over="free">
        <DrainBar until={until} fullMs={leaseMs} tone="cooling" />
      </Running>
    );
  }
  return <Nothing>no lease</Nothing>;
}

function LifeCell({ row, lifeMs }: { row: KeyRow; lifeMs: number | null }) {
  const { key, sentAt } = row;
  if (key.expiresInMs === null || key.expiresAt === null)
    return <span class="text-[0.8125rem] text-muted">never expires</span>;
  const until = sentAt + key.expiresInMs;
  return (
    <Running title={`Deleted for good at ${key.expiresAt}, unless refreshed`} until={until} over="expired">
      <DrainBar until={until} fullMs={lifeMs ?? key.expiresInMs} tone="life" />
    </Running>
  );
}

interface RunningProps {
  readonly title: string;
  readonly until: number;
  readonly over: string;
  readonly children: ComponentChildren;
}

function Running({ title, until, over, children }: RunningProps) {
  return (
    <div title={title}>
      <div class="mb-1 text-[0.8125rem] leading-tight">
        <Countdown until={until} over={over} />
      </div>
      {children}
    </div>
  );
}

interface CellProps {
  readonly class: string;
  /** Shown where the column headings are not. */
  readonly label?: string;
  readonly inline?: boolean;
  readonly children: ComponentChildren;
}

function Cell({ class: className, label, inline = false, children }: CellProps) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: see key-table.tsx
    <div role="cell" class={className}>
      {label !== undefined && (
        <span class={`text-xs text-muted lg:hidden ${inline ? 'mr-1' : 'block'}`} aria-hidden="true">
          {label}
        </span>
      )}
      {children}
    </div>
  );
}

function Nothing({ children }: { children: string }) {
  return (
    <>
      <span class="text-muted" aria-hidden="true">
        –
      </span>
      <span class="sr-only">{children}</span>
    </>
  );
}

function RowButton({ icon, name, onClick }: { icon: IconName; name: string; onClick: () => void }) {
  return (
    <button
      type="button"
      class="button button-quiet button-icon"
      aria-label={name}
      title={name.split(' ')[0]}
      onClick={onClick}
    >
      <Icon name={icon} />
    </button>
  );
}

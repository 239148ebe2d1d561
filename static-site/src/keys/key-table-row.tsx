import { type ReadonlySignal, useComputed } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import type { Key, KeyState } from '../../../shared/contract/keys.ts';
import { useDrainStyle } from '../components/countdown.tsx';
import { StateBadge } from '../components/state-badge.tsx';
import { staleAfterMs } from '../poll/feed.ts';
import { currentMs } from '../time/clock.ts';
import { formatDuration } from '../time/format-duration.ts';
import { SinceText } from '../time/time-text.tsx';
import { KEYS_EVERY_MS, type KeyRow } from './key-pages.ts';
import type { KeyTableProps } from './key-table.tsx';

/** The rows in sight may be of more pages than one poll asks for. */
const STALE_AFTER_MS = 2 * staleAfterMs(KEYS_EVERY_MS);

interface KeyTableRowProps extends KeyTableProps {
  readonly row: KeyRow;
  readonly index: number;
  readonly topPx: number;
  readonly heightPx: number;
}

function formatLabels(labels: Key['labels'] = {}): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(', ');
}

/**
 * A key. It has few elements, since fast scrolling renders forty rows per frame: the style sheet draws icons and labels.
 * With 45 elements per row a frame of scrolling took 190 ms; with 20 it takes 30 ms.
 */
export function KeyTableRow(props: KeyTableRowProps) {
  const { row, index, topPx, heightPx, list, leaseMs, lifeMs, selected, onSelect, onOpen, onAction } = props;
  const { key, sentAt } = row;
  const { keyId, lease } = key;
  const labels = formatLabels(key.labels);
  const state = useComputed(() => stateAt(row, currentMs()));
  const className = useComputed(() => {
    const isStale = list.error.value !== undefined || currentMs() - sentAt > STALE_AFTER_MS;
    return isStale ? 'key-row stale' : 'key-row';
  });
  const isSelected = useComputed(() => selected?.value.has(keyId) ?? false);
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      class={className}
      style={`top: ${topPx}px; height: ${heightPx}px`}
      data-key={keyId}
      data-state={state.value}
    >
      <Cell>
        {selected !== undefined && (
          <label class="key-select">
            <input
              type="checkbox"
              class="check"
              aria-label={`Select ${keyId}`}
              checked={isSelected}
              onChange={(event) => onSelect([keyId], event.currentTarget.checked)}
            />
          </label>
        )}
      </Cell>
      <Cell class="key-row-state" title={pauseTitle(key)}>
        <StateBadge state={state.value} />
      </Cell>
      <Cell class="key-row-id" title={`${keyId}\n${labels}`}>
        <button type="button" onClick={() => onOpen(keyId)}>
          {keyId}
        </button>
        {labels !== '' && <div class="key-row-client">{labels}</div>}
      </Cell>
      <Cell class="key-row-holder" title={lease && `${lease.holder ?? 'no label'} · ${lease.clientId}`}>
        {lease === undefined ? '–' : (lease.holder ?? 'no label')}
        {lease !== undefined && <div class="key-row-client">{lease.clientId}</div>}
      </Cell>
      <Cell class="key-row-held" label="held">
        {lease === undefined ? '–' : <SinceText iso={lease.acquiredAt} />}
      </Cell>
      <LeaseCell row={row} leaseMs={leaseMs} />
      <LifeCell row={row} lifeMs={lifeMs} />
      <Cell class="key-row-token" label="Token">
        {key.fencingToken}
      </Cell>
      <Cell class="key-row-actions">
        {selected !== undefined && (
          <>
            <RowButton
              icon="icon-tag"
              name={`Labels of ${keyId}`}
              onClick={() => void onAction('label', key)}
            />
            <RowButton
              icon="icon-refresh"
              name={`Refresh ${keyId}`}
              onClick={() => void onAction('refresh', key)}
            />
            <RowButton
              icon={key.paused === undefined ? 'icon-pause' : 'icon-resume'}
              name={`${key.paused === undefined ? 'Pause' : 'Resume'} ${keyId}`}
              onClick={() => void onAction(key.paused === undefined ? 'pause' : 'resume', key)}
            />
            {key.state !== 'free' && key.state !== 'paused' && (
              <RowButton
                icon="icon-unlock"
                name={`Unblock ${keyId}`}
                onClick={() => void onAction('unblock', key)}
              />
            )}
            <RowButton
              icon="icon-trash"
              name={`Delete ${keyId}`}
              onClick={() => void onAction('delete', key)}
            />
          </>
        )}
      </Cell>
    </div>
  );
}

function pauseTitle({ paused }: Key): string | undefined {
  return paused && `Paused by ${paused.by} at ${paused.at}${paused.reason ? `: ${paused.reason}` : ''}`;
}

/** The state at this moment: the times in a response may run out before the next response. */
function stateAt({ key, sentAt }: KeyRow, now: number): KeyState {
  const { state, lease, freeInMs } = key;
  if (state === 'leased' && lease !== undefined && sentAt + lease.expiresInMs <= now) {
    return key.paused === undefined ? 'cooling' : 'paused';
  }
  if (state === 'cooling' && freeInMs !== undefined && sentAt + freeInMs <= now) return 'free';
  return state;
}

function LeaseCell({ row: { key, sentAt }, leaseMs }: { row: KeyRow; leaseMs: number }) {
  if (key.lease !== undefined) {
    const title = `The lease ends at ${key.lease.expiresAt}`;
    const until = sentAt + key.lease.expiresInMs;
    return (
      <Running label="Lease" title={title} until={until} fullMs={leaseMs} over="ended" fill="fill-leased" />
    );
  }
  if (key.freeInMs !== undefined) {
    const title = 'The lease is over; the key is free after this';
    const until = sentAt + key.freeInMs;
    return (
      <Running label="Lease" title={title} until={until} fullMs={leaseMs} over="free" fill="fill-cooling" />
    );
  }
  return <Cell label="Lease">–</Cell>;
}

function LifeCell({ row: { key, sentAt }, lifeMs }: { row: KeyRow; lifeMs: number | null }) {
  if (key.expiresInMs === null) return <Cell label="Lifetime">never expires</Cell>;
  const title = `Deleted for good at ${key.expiresAt}, unless refreshed`;
  const fullMs = lifeMs ?? key.expiresInMs;
  return (
    <Running
      label="Lifetime"
      title={title}
      until={sentAt + key.expiresInMs}
      fullMs={fullMs}
      over="expired"
      fill="fill-life"
    />
  );
}

interface RunningProps {
  readonly label: string;
  readonly title: string;
  /** On the monotonic clock. */
  readonly until: number;
  readonly fullMs: number;
  readonly over: string;
  readonly fill: string;
}

/** A countdown with its bar. */
function Running({ label, title, until, fullMs, over, fill }: RunningProps) {
  const text: ReadonlySignal<string> = useComputed(() => {
    const left = until - currentMs();
    return left <= 0 ? over : formatDuration(left);
  });
  const style = useDrainStyle(until, fullMs);
  return (
    <Cell class="key-row-running" label={label} title={title}>
      {text}
      <div class={`key-row-bar ${fill}`} style={style} />
    </Cell>
  );
}

interface CellProps {
  readonly class?: string;
  /** Shown by the style sheet on narrow screens, which have no column headings. */
  readonly label?: string;
  readonly title?: string | undefined;
  readonly children: ComponentChildren;
}

function Cell({ class: className, label, title, children }: CellProps) {
  return (
    <div role="cell" class={className} data-label={label} title={title}>
      {children}
    </div>
  );
}

function RowButton({ icon, name, onClick }: { icon: string; name: string; onClick: () => void }) {
  return (
    <button type="button" class={`icon-button ${icon}`} aria-label={name} title={name} onClick={onClick} />
  );
}

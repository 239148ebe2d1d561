import type { ComponentChildren } from 'preact';
import { useEffect, useMemo } from 'preact/hooks';
import type { Key } from '../../../shared/contract/keys.ts';
import type { Api } from '../api/api.ts';
import { CopyButton } from '../components/copy-button.tsx';
import { Countdown } from '../components/countdown.tsx';
import { Dialog } from '../components/dialog.tsx';
import { Icon, type IconName } from '../components/icon.tsx';
import { Loading } from '../components/loading.tsx';
import { StateBadge } from '../components/state-badge.tsx';
import { EventList } from '../events/event-list.tsx';
import { createFeed } from '../poll/feed.ts';
import { endSessionIfRejected } from '../session/session.ts';
import { SinceText, TimeText } from '../time/time-text.tsx';
import { KEYS_EVERY_MS } from './key-pages.ts';
import type { KeyAction } from './key-table.tsx';

interface KeyDrawerProps {
  readonly api: Api;
  readonly keyId: string;
  readonly canManage: boolean;
  /** Grows with each action on a key. */
  readonly actions: number;
  readonly onAction: (action: KeyAction, key: Key) => void;
  readonly onClose: () => void;
}

/** The whole story of a key: what it is now, who holds it, and what happened to it. */
export function KeyDrawer({ api, keyId, canManage, actions, onAction, onClose }: KeyDrawerProps) {
  const feed = useMemo(
    () =>
      createFeed<Key>({
        everyMs: () => KEYS_EVERY_MS,
        onError: endSessionIfRejected,
        ask: (abort) => api.getKey(keyId, abort),
      }),
    [api, keyId],
  );
  useEffect(() => () => feed.stop(), [feed]);
  useEffect(() => feed.refresh(), [feed, actions]);
  const key = feed.value.value;
  return (
    <Dialog title="Key" onClose={onClose} side wide>
      <div class="mb-4 flex items-center gap-1 border-b border-line pb-3">
        <code class="font-mono text-[0.8125rem] break-all">{keyId}</code>
        <CopyButton text={keyId} name="key id" />
      </div>
      {key === undefined || feed.error.value !== undefined ? (
        <Loading error={feed.error.value} shapes={['h-5', 'h-5', 'h-5', 'h-5', 'h-5', 'h-5']} />
      ) : (
        <>
          <KeyFacts of={key} sentAt={feed.sentAt.value} />
          {canManage && <KeyActions of={key} onAction={onAction} />}
        </>
      )}
      <div class="-mx-5 mt-5 border-t border-line sm:-mx-6">
        <EventList key={keyId} api={api} filter={{ key: keyId }} />
      </div>
    </Dialog>
  );
}

function KeyFacts({ of: key, sentAt }: { of: Key; sentAt: number }) {
  const { lease, labels = {} } = key;
  return (
    <dl class="grid grid-cols-[7rem_minmax(0,1fr)] gap-y-1.5 text-[0.8125rem] wrap-anywhere tabular-nums">
      <Fact name="State">
        <StateBadge state={key.state} />
        {key.freeInMs !== undefined && (
          <>
            {' '}
            free in <Countdown until={sentAt + key.freeInMs} over="a moment" />
          </>
        )}
      </Fact>
      {key.paused !== undefined && (
        <Fact name="Paused">
          by <span class="font-mono text-xs">{key.paused.by}</span>, since <TimeText iso={key.paused.at} />
          {key.paused.reason !== undefined && `: ${key.paused.reason}`}
          {lease !== undefined && '. The lease goes on'}
        </Fact>
      )}
      {lease !== undefined && (
        <>
          <Fact name="Holder">
            {lease.holder ?? 'no label'} <span class="font-mono text-xs text-muted">{lease.clientId}</span>
          </Fact>
          <Fact name="Held">
            for <SinceText iso={lease.acquiredAt} />, since <TimeText iso={lease.acquiredAt} />
          </Fact>
          <Fact name="Lease ends">
            in <Countdown until={sentAt + lease.expiresInMs} over="a moment" />, unless kept alive
            {lease.maxExpiresAt !== undefined && (
              <>
                ; at the latest <TimeText iso={lease.maxExpiresAt} />
              </>
            )}
          </Fact>
        </>
      )}
      <Fact name="Fencing token">{key.fencingToken}</Fact>
      {Object.keys(labels).length > 0 && (
        <Fact name="Labels">
          {Object.entries(labels).map(([name, text]) => (
            <div key={name}>
              {name}={text}
            </div>
          ))}
        </Fact>
      )}
      <Fact name="Created">
        <TimeText iso={key.createdAt} />
      </Fact>
      <Fact name="Lifetime">
        {key.expiresInMs === null ? (
          'never expires'
        ) : (
          <>
            deleted for good in <Countdown until={sentAt + key.expiresInMs} over="a moment" />, unless
            refreshed
          </>
        )}
      </Fact>
    </dl>
  );
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <>
      <dt class="text-muted">{name}</dt>
      <dd>{children}</dd>
    </>
  );
}

const ACTIONS: readonly { readonly action: KeyAction; readonly icon: IconName; readonly name: string }[] = [
  { action: 'label', icon: 'sliders', name: 'Labels' },
  { action: 'refresh', icon: 'refresh', name: 'Refresh' },
  { action: 'pause', icon: 'pause', name: 'Pause' },
  { action: 'resume', icon: 'check', name: 'Resume' },
  { action: 'unblock', icon: 'unlock', name: 'Unblock' },
  { action: 'delete', icon: 'trash', name: 'Delete' },
];

function isPossible(action: KeyAction, { state, paused }: Key): boolean {
  if (action === 'pause') return paused === undefined;
  if (action === 'resume') return paused !== undefined;
  return action !== 'unblock' || state === 'leased' || state === 'cooling';
}

function KeyActions({ of: key, onAction }: { of: Key; onAction: KeyDrawerProps['onAction'] }) {
  return (
    <div class="mt-4 flex flex-wrap gap-2">
      {ACTIONS.filter(({ action }) => isPossible(action, key)).map(({ action, icon, name }) => (
        <button key={action} type="button" class="button button-plain" onClick={() => onAction(action, key)}>
          <Icon name={icon} /> {name}
        </button>
      ))}
    </div>
  );
}

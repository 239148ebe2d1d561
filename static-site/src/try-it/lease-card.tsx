import { useState } from 'preact/hooks';
import type { LeaseEndReason } from '../../../shared/contract/problems.ts';
import { explainLeaseEnd } from '../api/explain-error.ts';
import { CopyButton } from '../components/copy-button.tsx';
import { Countdown, DrainBar } from '../components/countdown.tsx';
import { Icon } from '../components/icon.tsx';
import { ErrorNotice } from '../components/notice.tsx';
import { Badge, StateBadge } from '../components/state-badge.tsx';
import { useAction } from '../components/use-action.ts';
import { TimeText } from '../time/time-text.tsx';
import { CodePanel } from './code-panel.tsx';
import type { DeskLease, LeaseDesk } from './lease-desk.ts';
import { keepAliveSnippet, releaseSnippet, type SnippetContext } from './snippets.ts';

interface LeaseCardProps {
  readonly held: DeskLease;
  readonly desk: LeaseDesk;
  readonly context: SnippetContext;
}

/** A lease: its time left, its actions, and the code that does the same elsewhere. */
export function LeaseCard({ held, desk, context }: LeaseCardProps) {
  const { lease, ended } = held;
  return (
    <article
      class="card appear grid gap-6 p-4 sm:p-6 lg:grid-cols-2"
      data-lease={lease.leaseId}
      data-ended={ended}
      aria-label={`Lease of ${lease.keyId}`}
    >
      <div class="flex min-w-0 flex-col gap-4">
        {ended === undefined ? <LiveLease held={held} /> : <EndedLease reason={ended} />}
        <Facts held={held} />
        {ended === undefined ? <Actions held={held} desk={desk} /> : <LateActions held={held} desk={desk} />}
      </div>
      <div class="grid min-w-0 content-start gap-3">
        <CodePanel title="Keep alive" snippet={keepAliveSnippet(context, lease.leaseId)} />
        <CodePanel title="Release" snippet={releaseSnippet(context, lease.leaseId)} />
      </div>
    </article>
  );
}

function LiveLease({ held: { lease, deadline } }: { held: DeskLease }) {
  // A third of the lease is the time between keep-alives.
  const fullMs = lease.keepAliveEveryMs * 3;
  return (
    <div>
      <div class="mb-2 flex items-end justify-between gap-4">
        <p
          class="text-4xl leading-none font-semibold tracking-tight"
          role="timer"
          aria-label="Time left on the lease"
        >
          <Countdown until={deadline} precision="tenths" />
        </p>
        <StateBadge state="leased" />
      </div>
      <DrainBar until={deadline} fullMs={fullMs} tone="leased" thick />
    </div>
  );
}

function EndedLease({ reason }: { reason: LeaseEndReason }) {
  return (
    <div class="flex items-start justify-between gap-4">
      <div>
        <p class="text-lg font-semibold tracking-tight">{explainLeaseEnd(reason)}</p>
        <p class="mt-1 text-muted">{whatNow(reason)}</p>
      </div>
      <Badge tone={reason === 'released' ? 'neutral' : 'danger'}>{reason}</Badge>
    </div>
  );
}

function whatNow(reason: LeaseEndReason): string {
  switch (reason) {
    case 'released':
      return 'The key is free again, for anybody, at once.';
    case 'lapsed':
      return 'The key cools for a moment, in case clocks disagree, and is then free for anybody. This lease never comes back.';
    case 'unblocked':
      return 'The key cools until this lease would have ended, and is then free for anybody.';
    case 'deleted':
      return 'Nobody can acquire the key again.';
    case 'unknown':
      return 'The key may be somebody else’s by now.';
  }
}

function Facts({ held: { lease } }: { held: DeskLease }) {
  return (
    <dl class="grid grid-cols-[auto_minmax(0,1fr)] items-center gap-x-5 gap-y-1 text-[0.8125rem]">
      <Fact name="Key" value={lease.keyId} copy />
      {lease.value !== undefined && lease.value !== lease.keyId && <SecretFact value={lease.value} />}
      <Fact name="Pool" value={lease.pool} />
      {lease.holder !== undefined && <Fact name="Holder" value={lease.holder} />}
      <Fact name="Fencing token" value={String(lease.fencingToken)} copy />
      <dt class="text-muted">Acquired</dt>
      <dd class="tabular-nums">
        <TimeText iso={lease.acquiredAt} />
      </dd>
    </dl>
  );
}

function Fact({ name, value, copy = false }: { name: string; value: string; copy?: boolean }) {
  return (
    <>
      <dt class="text-muted">{name}</dt>
      <dd class="flex min-h-7 min-w-0 items-center gap-1">
        <span class={`truncate ${copy ? 'font-mono' : ''}`} title={value}>
          {value}
        </span>
        {copy && <CopyButton text={value} name={name.toLowerCase()} />}
      </dd>
    </>
  );
}

function SecretFact({ value }: { value: string }) {
  const [shown, setShown] = useState(false);
  return (
    <>
      <dt class="text-muted">Value</dt>
      <dd class="flex min-h-7 min-w-0 items-center gap-1">
        <span class="truncate font-mono">{shown ? value : '••••••••'}</span>
        <button
          type="button"
          class="button button-quiet min-h-7 px-2 text-xs"
          aria-pressed={shown}
          onClick={() => setShown(!shown)}
        >
          {shown ? 'Hide' : 'Show'}
        </button>
        <CopyButton text={value} name="value" />
      </dd>
    </>
  );
}

interface ActionsProps {
  readonly held: DeskLease;
  readonly desk: LeaseDesk;
}

function Actions({ held: { lease, isAutomatic }, desk }: ActionsProps) {
  const { leaseId } = lease;
  const action = useAction();
  return (
    <div>
      <div class="flex flex-wrap items-center gap-2">
        <button
          type="button"
          class="button button-primary"
          disabled={action.running}
          onClick={() => void action.run(() => desk.keepAlive(leaseId))}
        >
          <Icon name="heart" /> Keep alive
        </button>
        <button
          type="button"
          class="button button-plain"
          disabled={action.running}
          onClick={() => void action.run(() => desk.release(leaseId))}
        >
          Release
        </button>
        <label class="ml-1 flex min-h-9 items-center gap-2 text-[0.8125rem]">
          <input
            type="checkbox"
            class="check"
            checked={isAutomatic}
            onChange={(event) => desk.setAutomatic(leaseId, event.currentTarget.checked)}
          />
          Automatically, every {Math.max(1, Math.round(lease.keepAliveEveryMs / 1000))} s
        </label>
      </div>
      <p class="mt-2 text-xs text-muted">
        {isAutomatic
          ? 'As the SDK does it. Browsers slow down tabs that are hidden; a program is the better holder.'
          : 'Or do nothing, and watch the lease lapse.'}
      </p>
      <ErrorNotice error={action.error} />
    </div>
  );
}

function LateActions({ held: { lease, ended }, desk }: ActionsProps) {
  const action = useAction();
  return (
    <div>
      <div class="flex flex-wrap gap-2">
        {ended !== 'released' && (
          <button
            type="button"
            class="button button-plain"
            disabled={action.running}
            onClick={() => void action.run(() => desk.keepAlive(lease.leaseId))}
          >
            <Icon name="heart" /> Keep alive, too late
          </button>
        )}
        <button type="button" class="button button-quiet" onClick={() => desk.forget(lease.leaseId)}>
          Dismiss
        </button>
      </div>
      {action.error !== undefined && (
        <p class="mt-2 text-xs text-muted" role="alert">
          The service answered <code class="font-mono">410 lease_ended</code>:{' '}
          {'a holder that comes late is told so.'}
        </p>
      )}
    </div>
  );
}

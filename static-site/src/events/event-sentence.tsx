import type { ComponentChildren } from 'preact';
import type { Event, EventType } from '../../../shared/contract/events.ts';
import type { IconName } from '../components/icon.tsx';
import type { Tone } from '../components/state-badge.tsx';
import { pathOf } from '../router.ts';
import { formatNumber } from '../text/format-count.ts';

interface Kind {
  readonly label: string;
  readonly icon: IconName;
  readonly tone: Tone;
}

/** In the order in which the filter offers them. */
export const KINDS: Readonly<Record<EventType, Kind>> = {
  'lease.lapsed': { label: 'Lease lapsed', icon: 'clock', tone: 'cooling' },
  'lease.unblocked': { label: 'Lease unblocked', icon: 'unlock', tone: 'leased' },
  'key.created': { label: 'Keys created', icon: 'plus', tone: 'free' },
  'key.deleted': { label: 'Key deleted', icon: 'trash', tone: 'neutral' },
  'key.discarded': { label: 'Key discarded', icon: 'trash', tone: 'cooling' },
  'key.paused': { label: 'Key paused', icon: 'pause', tone: 'cooling' },
  'key.resumed': { label: 'Key resumed', icon: 'check', tone: 'free' },
  'pool.exhausted': { label: 'Pool exhausted', icon: 'warning', tone: 'danger' },
  'pool.changed': { label: 'Pool changed', icon: 'sliders', tone: 'leased' },
  'client.created': { label: 'Client created', icon: 'person', tone: 'free' },
  'client.revoked': { label: 'Client revoked', icon: 'person', tone: 'danger' },
  'client.secret_added': { label: 'Secret added', icon: 'key', tone: 'neutral' },
};

/** A type that is younger than this page is shown by its name. */
export function kindOf(type: EventType): Kind {
  return Object.hasOwn(KINDS, type) ? KINDS[type] : { label: type, icon: 'clock', tone: 'neutral' };
}

/** What happened, with links to more of the same. */
export function EventSentence({ event }: { event: Event }) {
  const { type, pool, keyId, clientId, count = 1 } = event;
  const by = event.by === undefined ? 'The service' : <ClientLink id={event.by} />;
  const key = keyId === undefined ? 'a key' : <KeyLink id={keyId} />;
  const client = clientId === undefined ? 'a client' : <ClientLink id={clientId} />;
  switch (type) {
    case 'lease.lapsed':
      return (
        <>
          The lease of <Holder event={event} /> on {key} lapsed
        </>
      );
    case 'lease.unblocked':
      return (
        <>
          {by} ended the lease of <Holder event={event} /> on {key}
        </>
      );
    case 'key.created':
      return (
        <>
          {by} created {count === 1 ? '1 key' : `${formatNumber(count)} keys`}
        </>
      );
    case 'key.deleted':
      return (
        <>
          {by} deleted {key}
          {clientId !== undefined && (
            <>
              , and with it the lease of <Holder event={event} />
            </>
          )}
        </>
      );
    case 'key.discarded':
      return (
        <>
          <Holder event={event} /> discarded {key}
        </>
      );
    case 'key.paused':
      return (
        <>
          {by} paused {key}
        </>
      );
    case 'key.resumed':
      return (
        <>
          {by} resumed {key}
        </>
      );
    case 'pool.exhausted':
      return (
        <>
          <PoolLink pool={pool} /> had no free key for an acquire
        </>
      );
    case 'pool.changed':
      return <PoolChange event={event} by={by} />;
    case 'client.created':
      return (
        <>
          {by} created client {client}
        </>
      );
    case 'client.revoked':
      return (
        <>
          {by} revoked client {client}
        </>
      );
    case 'client.secret_added':
      return (
        <>
          {by} gave client {client} another secret
        </>
      );
    default:
      return <>{type satisfies never}</>;
  }
}

const CHANGES: Readonly<Record<NonNullable<Event['change']>, string>> = {
  created: 'created pool',
  updated: 'changed the policy of',
  refreshed: 'refreshed all keys of',
  emptied: 'emptied pool',
  deleted: 'deleted pool',
};

function PoolChange({ event, by }: { event: Event; by: ComponentChildren }) {
  const { pool, change = 'updated', fields = [] } = event;
  return (
    <>
      {by} {CHANGES[change]} <PoolLink pool={pool} />
      {fields.length > 0 && `: ${fields.join(', ')}`}
    </>
  );
}

function Holder({ event: { holder, clientId } }: { event: Event }) {
  if (clientId === undefined) return <>{holder ?? 'a client'}</>;
  if (holder === undefined) return <ClientLink id={clientId} />;
  return (
    <>
      <strong class="font-semibold">
        <a class={LINK} href={pathOf({ view: 'events', holder })} title={`Events of holder ${holder}`}>
          {holder}
        </a>
      </strong>{' '}
      <span class="inline-block max-w-full">
        (<ClientLink id={clientId} />)
      </span>
    </>
  );
}

const LINK = 'underline decoration-field underline-offset-2 hover:text-accent hover:decoration-current';
/** On a line of its own rather than broken in two. */
const ID_LINK = `inline-block max-w-full font-mono text-xs ${LINK}`;

function ClientLink({ id }: { id: string }) {
  return (
    <a class={ID_LINK} href={pathOf({ view: 'events', client: id })} title={`Events of client ${id}`}>
      {id}
    </a>
  );
}

function KeyLink({ id }: { id: string }) {
  return (
    <a class={ID_LINK} href={pathOf({ view: 'events', key: id })} title={`Events of key ${id}`}>
      {id}
    </a>
  );
}

export function PoolLink({ pool = '' }: { pool: string | undefined }) {
  return (
    <a class={LINK} href={pathOf({ view: 'pool', pool })} title={`Pool ${pool}`}>
      {pool}
    </a>
  );
}

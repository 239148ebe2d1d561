import { Countdown } from '../components/countdown.tsx';
import { pathOf } from '../router.ts';
import { SinceText } from '../time/time-text.tsx';
import type { HeldKey } from './holders-feed.ts';

interface HolderTableProps {
  readonly held: readonly HeldKey[];
  /** Undefined for those who may not. */
  readonly onEnd: ((held: HeldKey) => void) | undefined;
}

const LINK = 'rounded-sm hover:text-accent hover:underline';
const NAMES = ['Holder', 'Client', 'Pool', 'Key', 'Held', 'Lease ends'];

/** Leases; on a phone each is two lines. */
export function HolderTable({ held, onEnd }: HolderTableProps) {
  return (
    <table class="holder-table">
      <caption class="sr-only">Leases, the oldest first</caption>
      <thead>
        <tr>
          {NAMES.map((name) => (
            <th key={name} scope="col">
              {name}
            </th>
          ))}
          <th scope="col">
            <span class="sr-only">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {held.map((each) => (
          <HolderRow key={`${each.keyId} ${each.fencingToken}`} each={each} onEnd={onEnd} />
        ))}
      </tbody>
    </table>
  );
}

function HolderRow({ each, onEnd }: { each: HeldKey; onEnd: HolderTableProps['onEnd'] }) {
  const { keyId, pool, clientId, holder = 'no label' } = each;
  return (
    <tr data-held={keyId}>
      <th scope="row">{holder}</th>
      <td class="font-mono text-xs">
        <a
          class={LINK}
          href={pathOf({ view: 'holders', client: clientId })}
          title={`All leases of ${clientId}`}
        >
          {clientId}
        </a>
      </td>
      <td>
        <a class={LINK} href={pathOf({ view: 'pool', pool })}>
          {pool}
        </a>
      </td>
      <td class="font-mono text-xs">
        <a class={LINK} href={pathOf({ view: 'pool', pool, key: keyId })} title={`Key ${keyId}`}>
          {keyId}
        </a>
      </td>
      <td data-label="held">
        <SinceText iso={each.acquiredAt} />
      </td>
      <td data-label="ends in">
        <Countdown until={each.sentAt + each.expiresInMs} over="a moment" />
      </td>
      <td>
        {onEnd !== undefined && (
          <button
            type="button"
            class="button button-plain min-h-8"
            aria-label={`End lease of ${holder} on ${keyId}`}
            onClick={() => onEnd(each)}
          >
            End lease
          </button>
        )}
      </td>
    </tr>
  );
}

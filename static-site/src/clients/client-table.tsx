import type { Client, Role } from '../../../shared/contract/clients.ts';
import { CopyButton } from '../components/copy-button.tsx';
import { Badge, type Tone } from '../components/state-badge.tsx';
import { pathOf } from '../router.ts';
import { formatNumber, plural } from '../text/format-count.ts';
import { TimeText } from '../time/time-text.tsx';

const ROLE_TONES: Readonly<Record<Role, Tone>> = { admin: 'leased', client: 'free', viewer: 'neutral' };

export interface LeaseCounts {
  readonly byClient: ReadonlyMap<string, number>;
  /** Whether there are more leases than were counted. */
  readonly isPartial: boolean;
}

interface ClientTableProps {
  readonly clients: readonly Client[];
  readonly leases: LeaseCounts;
  readonly isSelf: (client: Client) => boolean;
  readonly onRotate: (client: Client) => void;
  readonly onRevoke: (client: Client) => void;
}

export function ClientTable({ clients, leases, isSelf, onRotate, onRevoke }: ClientTableProps) {
  return (
    <table class="w-full text-left max-md:block">
      <caption class="sr-only">Clients, newest first</caption>
      <thead class="border-b border-line text-xs text-muted max-md:sr-only">
        <tr>
          <th scope="col" class="px-5 py-2.5 font-medium">
            Client
          </th>
          <th scope="col" class="px-3 py-2.5 font-medium">
            Role
          </th>
          <th scope="col" class="px-3 py-2.5 font-medium">
            Pools
          </th>
          <th scope="col" class="px-3 py-2.5 font-medium">
            Created
          </th>
          <th scope="col" class="px-3 py-2.5 font-medium">
            Last used
          </th>
          <th scope="col" class="px-3 py-2.5 font-medium">
            Expires
          </th>
          <th scope="col" class="px-5 py-2.5 font-medium">
            <span class="sr-only">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody class="max-md:block">
        {clients.map((client) => (
          <tr
            key={client.clientId}
            data-client={client.clientId}
            class="border-line not-last:border-b max-md:grid max-md:grid-cols-[1fr_auto] max-md:gap-x-3 max-md:gap-y-1.5 max-md:px-4 max-md:py-3.5"
          >
            <td class="min-w-0 md:px-5 md:py-3">
              <div class="font-medium">
                {client.description ?? <span class="text-muted">No description</span>}
                {isSelf(client) && <span class="ml-2 text-xs font-normal text-muted">this tab</span>}
              </div>
              <div class="flex items-center gap-1">
                <span class="truncate font-mono text-xs text-muted">{client.clientId}</span>
                <CopyButton text={client.clientId} name={`client id ${client.clientId}`} />
              </div>
            </td>
            <td class="max-md:justify-self-end md:px-3">
              <Badge tone={ROLE_TONES[client.role]}>{client.role}</Badge>
            </td>
            <td class="text-[0.8125rem] md:px-3">
              {client.pools === undefined ? (
                <span class="text-muted">all pools</span>
              ) : (
                <span class="flex flex-wrap gap-1">
                  {client.pools.map((pool) => (
                    <a
                      key={pool}
                      class="rounded-md bg-sunken px-1.5 py-0.5 text-xs hover:text-accent"
                      href={pathOf({ view: 'pool', pool })}
                    >
                      {pool}
                    </a>
                  ))}
                </span>
              )}
            </td>
            <td class="text-[0.8125rem] text-muted tabular-nums whitespace-nowrap max-md:justify-self-end md:px-3">
              <span class="md:hidden">created </span>
              <TimeText iso={client.createdAt} brief />
            </td>
            <td class="text-[0.8125rem] text-muted tabular-nums whitespace-nowrap md:px-3">
              <span class="md:hidden">used </span>
              {client.lastUsedAt === undefined ? 'never' : <TimeText iso={client.lastUsedAt} brief />}
            </td>
            <td class="text-[0.8125rem] text-muted tabular-nums whitespace-nowrap max-md:justify-self-end md:px-3">
              <Expiration of={client} />
            </td>
            <td class="whitespace-nowrap max-md:col-span-2 md:px-5 md:text-right">
              <a
                class="button button-plain min-h-8"
                aria-label={`${countText(leases, client)} of ${client.description ?? client.clientId}`}
                href={pathOf({ view: 'holders', client: client.clientId })}
              >
                {countText(leases, client)}
              </a>{' '}
              <button
                type="button"
                class="button button-plain min-h-8"
                aria-label={`Rotate ${client.description ?? client.clientId}`}
                onClick={() => onRotate(client)}
              >
                Rotate
              </button>{' '}
              <button
                type="button"
                class="button button-plain min-h-8"
                aria-label={`Revoke ${client.description ?? client.clientId}`}
                onClick={() => onRevoke(client)}
              >
                Revoke
              </button>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** A count of which some may be missing is a least one; none of them says nothing. */
function countText({ byClient, isPartial }: LeaseCounts, { clientId }: Client): string {
  const count = byClient.get(clientId) ?? 0;
  if (!isPartial) return plural(count, 'lease');
  return count === 0 ? 'Leases' : `${formatNumber(count)}+ leases`;
}

function Expiration({ of: { expiresAt } }: { of: Client }) {
  if (expiresAt !== undefined && Date.parse(expiresAt) <= Date.now()) {
    return (
      <span class="text-danger">
        expired <TimeText iso={expiresAt} brief />
      </span>
    );
  }
  return (
    <>
      <span class="md:hidden">expires </span>
      {expiresAt === undefined ? 'never' : <TimeText iso={expiresAt} brief />}
    </>
  );
}

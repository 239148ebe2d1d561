import { useEffect, useMemo, useState } from 'preact/hooks';
import type { Client } from '../../../shared/contract/clients.ts';
import type { Api } from '../api/api.ts';
import { EmptyState } from '../components/empty-state.tsx';
import { Icon } from '../components/icon.tsx';
import { Loading } from '../components/loading.tsx';
import { PageHeading } from '../components/page-heading.tsx';
import { createFeed, type Feed } from '../poll/feed.ts';
import type { PoolsFeed } from '../pools/pools-feed.ts';
import { endSessionIfRejected, type SignedIn } from '../session/session.ts';
import { ClientTable, type LeaseCounts } from './client-table.tsx';
import { CreateClientDialog } from './create-client-dialog.tsx';
import { RevokeClientDialog } from './revoke-client-dialog.tsx';
import { RotateClientDialog } from './rotate-client-dialog.tsx';

/** How often clients are polled, in milliseconds: they change by hand, seldom. */
const EVERY_MS = 15_000;
/** The most pages of leases that are read for the counts of all clients. */
const LEASE_PAGES = 3;

interface ClientList {
  readonly clients: readonly Client[];
  readonly leases: LeaseCounts;
}

interface ClientsPageProps {
  readonly signedIn: SignedIn;
  readonly pools: PoolsFeed | undefined;
}

/** All clients and their roles. */
export function ClientsPage({ signedIn, pools }: ClientsPageProps) {
  const { api, caller } = signedIn;
  const feed = useMemo(() => createClientsFeed(api), [api]);
  useEffect(() => () => feed.stop(), [feed]);
  const [isCreating, setCreating] = useState(false);
  const [revoked, setRevoked] = useState<Client | undefined>(undefined);
  const [rotated, setRotated] = useState<Client | undefined>(undefined);
  const list = feed.value.value;
  const isSelf = (client: Client): boolean => client.clientId === caller.clientId;

  return (
    <>
      <PageHeading
        title="Clients"
        name="Clients"
        actions={
          <button type="button" class="button button-primary" onClick={() => setCreating(true)}>
            <Icon name="plus" /> Create client
          </button>
        }
      >
        A client is whoever a credential names: a program, a person, another dashboard. Its role says what it
        may do.
      </PageHeading>
      <section
        class={`card overflow-hidden ${feed.freshness.value === 'stale' ? 'stale' : ''}`}
        aria-label="Clients"
      >
        {list === undefined ? (
          <Loading error={feed.error.value} shapes={['h-9', 'h-9', 'h-9']} inset />
        ) : list.clients.length === 0 ? (
          <EmptyState icon="key" title="No clients">
            Create one for each program.
          </EmptyState>
        ) : (
          <ClientTable {...list} isSelf={isSelf} onRotate={setRotated} onRevoke={setRevoked} />
        )}
      </section>
      {isCreating && (
        <CreateClientDialog
          api={api}
          pools={pools?.value.value?.map(({ pool }) => pool) ?? []}
          onClose={() => setCreating(false)}
          onCreated={() => feed.refresh()}
        />
      )}
      {rotated !== undefined && (
        <RotateClientDialog
          api={api}
          client={rotated}
          isSelf={isSelf(rotated)}
          onClose={() => setRotated(undefined)}
          onRotated={() => feed.refresh()}
        />
      )}
      {revoked !== undefined && (
        <RevokeClientDialog
          api={api}
          client={revoked}
          isSelf={isSelf(revoked)}
          onClose={() => setRevoked(undefined)}
          onRevoked={() => feed.refresh()}
        />
      )}
    </>
  );
}

function createClientsFeed(api: Api): Feed<ClientList> {
  return createFeed<ClientList>({
    everyMs: () => EVERY_MS,
    onError: endSessionIfRejected,
    ask: async (abort) => {
      const [{ body, sentAt }, leases] = await Promise.all([api.listClients(abort), countLeases(api, abort)]);
      const clients = body.toSorted((a, b) => b.createdAt.localeCompare(a.createdAt));
      return { body: { clients, leases }, sentAt };
    },
  });
}

/** How many leases each client holds: a few requests for all of them. */
async function countLeases(api: Api, abort: AbortSignal): Promise<LeaseCounts> {
  const held = new Set<string>();
  const byClient = new Map<string, number>();
  let cursor: string | undefined;
  for (let page = 0; page === 0 || (page < LEASE_PAGES && cursor !== undefined); page += 1) {
    const { body } = await api.listHolders({ limit: 200, cursor }, abort);
    for (const { keyId, clientId } of body.holders) {
      if (held.has(keyId)) continue;
      held.add(keyId);
      byClient.set(clientId, (byClient.get(clientId) ?? 0) + 1);
    }
    cursor = body.nextCursor;
  }
  return { byClient, isPartial: cursor !== undefined };
}

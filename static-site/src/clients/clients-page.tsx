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
import { ClientTable } from './client-table.tsx';
import { CreateClientDialog } from './create-client-dialog.tsx';
import { RevokeClientDialog } from './revoke-client-dialog.tsx';
import { RotateClientDialog } from './rotate-client-dialog.tsx';

/** How often clients are polled, in milliseconds: they change by hand, seldom. */
const EVERY_MS = 15_000;

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
  const clients = feed.value.value;
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
        {clients === undefined ? (
          <Loading error={feed.error.value} shapes={['h-9', 'h-9', 'h-9']} inset />
        ) : clients.length === 0 ? (
          <EmptyState icon="key" title="No clients">
            Create one for each program.
          </EmptyState>
        ) : (
          <ClientTable clients={clients} isSelf={isSelf} onRotate={setRotated} onRevoke={setRevoked} />
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

function createClientsFeed(api: Api): Feed<readonly Client[]> {
  return createFeed<readonly Client[]>({
    everyMs: () => EVERY_MS,
    onError: endSessionIfRejected,
    ask: async (abort) => {
      const { body, sentAt } = await api.listClients(abort);
      return { body: body.toSorted((a, b) => b.createdAt.localeCompare(a.createdAt)), sentAt };
    },
  });
}

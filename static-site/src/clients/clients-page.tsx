import { useEffect, useMemo, useState } from 'preact/hooks';
import type { Client } from '../../../shared/contract/clients.ts';
import { explainOutage } from '../api/explain-error.ts';
import { EmptyState } from '../components/empty-state.tsx';
import { Icon } from '../components/icon.tsx';
import { ErrorNotice } from '../components/notice.tsx';
import { PageHeading } from '../components/page-heading.tsx';
import type { PoolsFeed } from '../pools/pools-feed.ts';
import type { SignedIn } from '../session/session.ts';
import { ClientTable } from './client-table.tsx';
import { createClientsFeed } from './clients-feed.ts';
import { CreateClientDialog } from './create-client-dialog.tsx';
import { RevokeClientDialog } from './revoke-client-dialog.tsx';

interface ClientsPageProps {
  readonly signedIn: SignedIn;
  readonly pools: PoolsFeed | undefined;
}

/** Who may do what. */
export function ClientsPage({ signedIn, pools }: ClientsPageProps) {
  const { api, caller } = signedIn;
  const feed = useMemo(() => createClientsFeed(api), [api]);
  useEffect(() => () => feed.stop(), [feed]);
  const [isCreating, setCreating] = useState(false);
  const [revoked, setRevoked] = useState<Client | undefined>(undefined);
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
          <Loading error={feed.error.value} />
        ) : clients.length === 0 ? (
          <EmptyState icon="key" title="No clients">
            Create one for each program.
          </EmptyState>
        ) : (
          <ClientTable clients={clients} isSelf={isSelf} onRevoke={setRevoked} />
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

function Loading({ error }: { error: unknown }) {
  if (error !== undefined) {
    return (
      <div class="p-5 pt-1">
        <ErrorNotice error={error} explain={explainOutage} />
      </div>
    );
  }
  return (
    <div aria-busy="true" class="space-y-3 p-5">
      <p class="sr-only">Loading clients</p>
      {[0, 1, 2].map((row) => (
        <div key={row} class="skeleton h-9" />
      ))}
    </div>
  );
}

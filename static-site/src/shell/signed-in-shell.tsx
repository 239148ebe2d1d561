import { useEffect, useMemo } from 'preact/hooks';
import type { Caller } from '../../../shared/contract/clients.ts';
import { ClientsPage } from '../clients/clients-page.tsx';
import { Brand, Icon } from '../components/icon.tsx';
import { PageHeading } from '../components/page-heading.tsx';
import { Toasts } from '../components/toasts.tsx';
import { EventsPage } from '../events/events-page.tsx';
import { HoldersPage } from '../holders/holders-page.tsx';
import { OverviewPage } from '../pools/overview-page.tsx';
import { PoolPage } from '../pools/pool-page.tsx';
import { createPoolsFeed, type PoolsFeed } from '../pools/pools-feed.ts';
import { pathOf, type Route, route } from '../router.ts';
import { canLease, canManageClients, canRead } from '../session/access.ts';
import { type SignedIn, signOutEverywhere } from '../session/session.ts';
import { createLeaseDesk, type LeaseDesk } from '../try-it/lease-desk.ts';
import { TryItPage } from '../try-it/try-it-page.tsx';
import { CommandPalette, openPalette } from './command-palette.tsx';
import { ConnectionBanner } from './connection-banner.tsx';
import { ThemeToggle } from './theme-toggle.tsx';

/** The header and the view, for a person who is signed in. */
export function SignedInShell({ signedIn }: { signedIn: SignedIn }) {
  const { api, caller } = signedIn;
  const pools = useMemo(() => (canRead(caller) ? createPoolsFeed(api) : undefined), [api, caller]);
  const desk = useMemo(() => (canLease(caller) ? createLeaseDesk(api) : undefined), [api, caller]);
  useEffect(
    () => () => {
      pools?.stop();
      desk?.stop();
    },
    [pools, desk],
  );

  return (
    <div class="min-h-dvh pb-16">
      <a
        href="#content"
        class="button button-primary absolute top-2 left-2 z-40 -translate-y-20 focus:translate-y-0"
      >
        Skip to the content
      </a>
      <Header signedIn={signedIn} />
      <main
        id="content"
        tabIndex={-1}
        class="outline-none mx-auto w-full max-w-[84rem] px-4 pt-7 sm:px-8 sm:pt-9"
      >
        <View signedIn={signedIn} pools={pools} desk={desk} />
      </main>
      <CommandPalette api={api} pages={pagesFor(caller)} pools={pools?.value.value} />
      <Toasts />
    </div>
  );
}

interface ViewProps {
  readonly signedIn: SignedIn;
  readonly pools: PoolsFeed | undefined;
  readonly desk: LeaseDesk | undefined;
}

function View({ signedIn, pools, desk }: ViewProps) {
  const current = route.value;
  switch (current.view) {
    case 'overview':
      if (pools !== undefined) return <OverviewPage signedIn={signedIn} pools={pools} />;
      break;
    case 'pool':
      if (pools !== undefined)
        return (
          <PoolPage
            key={current.pool}
            signedIn={signedIn}
            pools={pools}
            name={current.pool}
            openKey={current.key}
          />
        );
      break;
    case 'events':
      if (pools !== undefined)
        return (
          <EventsPage
            api={signedIn.api}
            pools={pools.value.value?.map(({ pool }) => pool) ?? []}
            filter={current}
          />
        );
      break;
    case 'holders':
      if (pools !== undefined)
        return (
          <HoldersPage signedIn={signedIn} pools={pools.value} pool={current.pool} client={current.client} />
        );
      break;
    case 'clients':
      if (canManageClients(signedIn.caller)) return <ClientsPage signedIn={signedIn} pools={pools} />;
      break;
    case 'try-it':
      break;
    default:
      return <NotFound />;
  }
  // For a client, who may not see pools, this is the home page too.
  if (desk !== undefined && (current.view === 'try-it' || current.view === 'overview')) {
    return (
      <TryItPage
        signedIn={signedIn}
        desk={desk}
        pools={pools}
        pool={current.view === 'try-it' ? current.pool : undefined}
      />
    );
  }
  return <NotFound />;
}

function NotFound() {
  return (
    <PageHeading title="Nothing here" name="Not found">
      There is no such page, or this credential may not see it.{' '}
      <a href="/" class="text-accent underline underline-offset-2">
        Go to the start
      </a>
      .
    </PageHeading>
  );
}

/** The pages that this caller may see, in the order of the header. */
function pagesFor(caller: Caller): readonly { readonly name: string; readonly target: Route }[] {
  const pages: readonly [name: string, target: Route, isShown: boolean][] = [
    ['Overview', { view: 'overview' }, canRead(caller)],
    ['Holders', { view: 'holders' }, canRead(caller)],
    ['Events', { view: 'events' }, canRead(caller)],
    ['Try it', { view: 'try-it' }, canLease(caller)],
    ['Clients', { view: 'clients' }, canManageClients(caller)],
  ];
  return pages.filter(([, , isShown]) => isShown).map(([name, target]) => ({ name, target }));
}

function Header({ signedIn }: { signedIn: SignedIn }) {
  const { caller } = signedIn;
  return (
    <div class="sticky top-0 z-20 border-b border-line bg-surface/95 backdrop-blur">
      <header class="mx-auto flex max-w-[84rem] flex-wrap items-center gap-x-8 px-4 sm:px-8">
        <a href="/" class="flex h-14 items-center rounded-md">
          <Brand />
        </a>
        <div class="ml-auto flex items-center gap-1 sm:order-3">
          <span class="mr-2 hidden rounded-md bg-sunken px-2 py-0.5 text-xs font-medium text-muted sm:inline">
            {caller.role}
          </span>
          <button
            type="button"
            class="button button-quiet button-icon"
            aria-label="Go to, or do (Ctrl K)"
            title="Go to, or do (Ctrl K)"
            onClick={openPalette}
          >
            <Icon name="search" />
          </button>
          <span class="contents" data-actions>
            <ThemeToggle />
            <button
              type="button"
              class="button button-quiet button-icon"
              aria-label={`Sign out (${caller.role})`}
              title="Sign out"
              onClick={() => signOutEverywhere(signedIn)}
            >
              <Icon name="leave" />
            </button>
          </span>
        </div>
        <nav
          aria-label="Views"
          class="-mx-2 flex h-11 w-full overflow-x-auto overflow-y-hidden sm:order-2 sm:h-14 sm:w-auto sm:gap-1"
        >
          {pagesFor(caller).map(({ name, target }) => (
            <NavLink key={name} target={target}>
              {name}
            </NavLink>
          ))}
          <a
            href="/docs"
            class="flex items-center rounded-md px-2 font-medium whitespace-nowrap -outline-offset-2 sm:px-2.5 text-muted hover:text-ink"
          >
            API
          </a>
        </nav>
      </header>
      <ConnectionBanner />
    </div>
  );
}

function NavLink({ target, children }: { target: Route; children: string }) {
  const { view } = route.value;
  const isCurrent = view === target.view || (view === 'pool' && target.view === 'overview');
  return (
    <a
      href={pathOf(target)}
      aria-current={isCurrent ? 'page' : undefined}
      class={`relative flex items-center rounded-md px-2 font-medium whitespace-nowrap -outline-offset-2 sm:px-2.5 ${
        isCurrent
          ? 'text-ink after:absolute after:inset-x-2 after:bottom-0 sm:after:inset-x-2.5 after:h-0.5 after:rounded-full after:bg-accent'
          : 'text-muted hover:text-ink'
      }`}
    >
      {children}
    </a>
  );
}

import { signal } from '@preact/signals';

/** The views, each with its path. A pool's name is in the query: with a full stop in it the path would name a file. */
export type Route =
  | { readonly view: 'overview' }
  | { readonly view: 'pool'; readonly pool: string; readonly key?: string | undefined }
  | { readonly view: 'try-it'; readonly pool?: string }
  | { readonly view: 'clients' }
  | { readonly view: 'holders'; readonly pool?: string | undefined; readonly client?: string | undefined }
  | ({ readonly view: 'events' } & EventFilter)
  | { readonly view: 'not-found' };

/** Which events: the parameters of the API's list, here those of the address. */
export type EventFilter = { readonly [Name in (typeof EVENT_FILTERS)[number]]?: string | undefined };

const EVENT_FILTERS = ['pool', 'type', 'key', 'client', 'holder'] as const;

export const route = signal<Route>(readRoute(location));

function readRoute({ pathname, search }: { pathname: string; search: string }): Route {
  const query = new URLSearchParams(search);
  const pool = query.get('name');
  switch (pathname) {
    case '/':
      return { view: 'overview' };
    case '/pool':
      return pool === null
        ? { view: 'not-found' }
        : { view: 'pool', pool, key: query.get('key') ?? undefined };
    case '/try-it':
      return { view: 'try-it', ...(pool !== null && { pool }) };
    case '/clients':
      return { view: 'clients' };
    case '/holders':
      return {
        view: 'holders',
        pool: query.get('pool') || undefined,
        client: query.get('client') || undefined,
      };
    case '/events':
      return { view: 'events', ...givenOf((filter) => query.get(filter)) };
    default:
      return { view: 'not-found' };
  }
}

function givenOf(read: (filter: keyof EventFilter) => string | null | undefined): Record<string, string> {
  const given = EVENT_FILTERS.map((filter) => [filter, read(filter)]);
  return Object.fromEntries(given.filter((pair): pair is [keyof EventFilter, string] => Boolean(pair[1])));
}

export function pathOf(target: Route): string {
  switch (target.view) {
    case 'pool':
      return `/pool?${new URLSearchParams({ name: target.pool, ...(target.key !== undefined && { key: target.key }) })}`;
    case 'try-it':
      return target.pool === undefined ? '/try-it' : `/try-it?${new URLSearchParams({ name: target.pool })}`;
    case 'clients':
      return '/clients';
    case 'holders':
    case 'events': {
      const query = new URLSearchParams(
        givenOf((filter) => (filter in target ? target[filter as 'pool'] : undefined)),
      );
      return query.size === 0 ? `/${target.view}` : `/${target.view}?${query}`;
    }
    default:
      return '/';
  }
}

export function navigate(target: Route): void {
  history.pushState(null, '', pathOf(target));
  follow();
}

/** Changes what is shown in place: no step back, no scrolling. */
export function replace(target: Route): void {
  history.replaceState(history.state, '', pathOf(target));
  route.value = readRoute(location);
}

/** Opens a key over the page of its pool, or closes it: the rest of the address stays. */
export function showKey(keyId: string | undefined): void {
  const query = new URLSearchParams(location.search);
  if (keyId === undefined) query.delete('key');
  else query.set('key', keyId);
  const address = `${location.pathname}?${query}`;
  if (keyId === undefined) history.replaceState(history.state, '', address);
  else history.pushState(null, '', address);
  route.value = readRoute(location);
}

function follow(): void {
  route.value = readRoute(location);
  scrollTo(0, 0);
}

window.addEventListener('popstate', () => {
  route.value = readRoute(location);
});

// A link to a view changes the view. The browser handles all others: another origin, a new tab, a download.
document.addEventListener('click', (event) => {
  if (
    event.defaultPrevented ||
    event.button !== 0 ||
    event.metaKey ||
    event.ctrlKey ||
    event.shiftKey ||
    event.altKey
  )
    return;
  const link = (event.target as Element).closest('a');
  if (link === null || link.origin !== location.origin || link.target !== '' || link.hash !== '') return;
  if (readRoute(new URL(link.href)).view === 'not-found') return;
  event.preventDefault();
  if (link.href !== location.href) history.pushState(null, '', link.href);
  follow();
});

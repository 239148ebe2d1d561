import type { Holder as HolderBody } from '../contract/leases.ts';
import { type Caller, requirePool } from './client.ts';
import type { Context } from './context.ts';
import { describeHolder } from './describe.ts';
import { InvalidRequestError } from './errors.ts';
import { type Key, type KeyLease, liveLeaseAt } from './key.ts';
import { poolName } from './pool.ts';
import type { KeyStore, LeasePlace } from './store.ts';

// Who holds what, across pools.

export interface ListHoldersRequest {
  readonly limit: number;
  readonly pool?: string | undefined;
  readonly client?: string | undefined;
  /** Only leases whose holder contains this text, in upper or lower case. */
  readonly holder?: string | undefined;
  /** The `next` of the page before. */
  readonly after?: string | undefined;
}

/** A live lease and its key. */
export interface Held {
  readonly key: Key;
  readonly lease: KeyLease;
}

/** How many clients are merged at a time. */
const CLIENTS = 100;

/** How many keys a page looks at, at the most. */
const WALK = 2000;

/** How many clients are asked for at once: a process has few connections, and acquires need them too. */
const AT_ONCE = 4;

/** The clients after `after`, up to `through`, and how far their leases were read. */
interface Group {
  readonly after: string;
  readonly through?: string | undefined;
  readonly place?: LeasePlace | undefined;
}

/**
 * A page of the live leases that the caller may see; `next` is where the page after it starts, however short this one is.
 * Oldest first, a hundred clients at a time: leases stand in an index by client, which costs an acquire nothing beyond what
 * it wrote before, and a page merges what that index has of each client. With more clients, those of the next hundred
 * follow.
 * @throws ForbiddenError, InvalidRequestError
 */
export async function listHolders(
  context: Context,
  caller: Caller,
  request: ListHoldersRequest,
): Promise<{ holders: HolderBody[]; next?: string | undefined }> {
  if (request.pool !== undefined) requirePool(caller, request.pool);
  const now = context.clock();
  const { held, next } = await listHeld(context, caller, request, now);
  return { holders: held.map(({ key, lease }) => describeHolder(key, lease, now)), next };
}

/**
 * As {@link listHolders}, with all that is known of each lease. A page without a `next` is the last; one with it may be the
 * last all the same where the walk, or a hundred clients, ended first. @throws InvalidRequestError
 */
export async function listHeld(
  context: Context,
  caller: Caller,
  { limit, pool, client, holder, after }: ListHoldersRequest,
  now: number,
): Promise<{ held: Held[]; next?: string | undefined }> {
  const group = parseGroup(after);
  const { clientIds, through, next } = await findClients(context.store.keys, group, client);
  const mayLeaveOut = pool !== undefined || holder !== undefined || caller.pools !== undefined;
  const isCurrent = currentPools(context, now);
  const held: Held[] = [];
  let { place } = group;
  // Of each client. What is asked for again is the rest: leases that have lapsed stand where live ones were expected.
  let left = Math.floor(WALK / clientIds.length);
  for (let ask = mayLeaveOut ? left : Math.min(left, limit + 1); ask > 0; left -= ask, ask = left) {
    const { keys, end } = await readOldest(context.store.keys, clientIds, { limit: ask, after: place });
    for (const key of keys) {
      const lease = liveLeaseAt(key, now);
      if (lease === undefined || !isWanted(key, lease) || !(await isCurrent(key.pool))) continue;
      const last = held.at(-1);
      // One more than fits: the page is not the last.
      if (last && held.length === limit)
        return { held, next: formatGroup(group.after, through, placeOf(last.key)) };
      held.push({ key, lease });
    }
    if (end === undefined) return { held, next };
    place = placeOf(end);
  }
  return { held, next: formatGroup(group.after, through, place as LeasePlace) };

  function isWanted({ pool: reference }: Key, lease: KeyLease): boolean {
    const name = poolName(reference);
    return (
      (pool === undefined || name === pool) &&
      (caller.pools === undefined || caller.pools.includes(name)) &&
      (holder === undefined || (lease.holder ?? '').toLowerCase().includes(holder.toLowerCase()))
    );
  }
}

/** The clients of a group; `next` is where the group after it starts. */
async function findClients(
  keys: KeyStore,
  { after, through = '' }: Group,
  client: string | undefined,
): Promise<{ clientIds: string[]; through: string; next?: string | undefined }> {
  if (client !== undefined) return { clientIds: [client], through: client };
  const found = await keys.listLeasingClients({ after, limit: CLIENTS });
  // Where others have come in between, the group ends earlier: what was listed of those beyond is listed again.
  const clientIds = through === '' ? found : found.filter((clientId) => clientId <= through);
  const last = clientIds.at(-1) ?? through;
  const isLast = found.length < CLIENTS && clientIds.length === found.length;
  return { clientIds, through: last, next: isLast ? undefined : last };
}

/** The oldest leases of these clients, merged, up to where each of them was read. `end`: where that is, unless all were. */
async function readOldest(
  store: KeyStore,
  clientIds: readonly string[],
  page: { limit: number; after?: LeasePlace | undefined },
): Promise<{ keys: Key[]; end: Key | undefined }> {
  const lists: Key[][] = [];
  for (let from = 0; from < clientIds.length; from += AT_ONCE) {
    const some = clientIds.slice(from, from + AT_ONCE);
    lists.push(...(await Promise.all(some.map((clientId) => store.listLeased({ ...page, clientId })))));
  }
  const [end] = lists.flatMap((list) => (list.length < page.limit ? [] : list.slice(-1))).sort(byPlace);
  const keys = lists.flat().sort(byPlace);
  return { keys: end === undefined ? keys : keys.slice(0, keys.indexOf(end) + 1), end };
}

/** Tells of a pool's reference whether it is the current one; asks once for each. */
function currentPools({ pools }: Context, now: number): (reference: string) => Promise<boolean> {
  const known = new Map<string, Promise<boolean>>();
  return (reference) => {
    const current =
      known.get(reference) ?? pools.getByReference(reference, now).then((pool) => pool !== undefined);
    known.set(reference, current);
    return current;
  };
}

/** Where the lease on a key stands among those of its client. */
export function placeOf({ keyId, lease }: Key): LeasePlace {
  return { acquiredAt: (lease as KeyLease).acquiredAt, keyId };
}

function byPlace(one: Key, other: Key): number {
  const [a, b] = [placeOf(one), placeOf(other)];
  return a.acquiredAt - b.acquiredAt || (a.keyId < b.keyId ? -1 : 1);
}

/** No id has a "/". */
function formatGroup(after: string, through: string, { acquiredAt, keyId }: LeasePlace): string {
  return [after, through, acquiredAt, keyId].join('/');
}

const GROUP = /^([\w-]{0,64})(?:\/([\w-]{1,64})\/(\d{1,15})\/([\w-]{1,64}))?$/;

/** @throws InvalidRequestError when it is no `next` of an earlier page */
function parseGroup(text = ''): Group {
  const match = GROUP.exec(text);
  if (match === null) {
    throw new InvalidRequestError([{ path: 'cursor', message: 'Must be a cursor of an earlier page' }]);
  }
  const [, after = '', through, acquiredAt, keyId] = match;
  return {
    after,
    through,
    place: keyId === undefined ? undefined : { acquiredAt: Number(acquiredAt), keyId },
  };
}

/**
 * The port: every verb is atomic, and every condition is inside the write, never read-then-write.
 *
 * free      nobody holds the key and `freeAt` has passed
 * leased    a lease stands on it and its end has not passed
 * cooling   its lease is over, but `freeAt` has not passed
 * paused    no live lease stands on it, and an operator took it out of service: no claim gets it
 * deleted   hidden from every read at once; removed once `freeAt` has passed
 *
 * Times are milliseconds since the epoch. Each verb judges by the `now` (or the times) it is given and by nothing
 * else, so a command that is carried out late shortens, revives and steals nothing. A verb that finds its condition
 * unmet changes nothing and returns `null`, `false` or 0. Every verb throws `DatabaseUnavailableError` when the
 * database does not answer or the outcome of a write is unknown.
 *
 * A key "as found" is one that still has the state, the fencing token, the lease (or none) and the `freeAt` that were
 * read: an acquire changes the token, the end of a lease takes the lease away, a keep-alive moves `freeAt`.
 */
import type { Client, SecretFields } from './client.ts';
import type { Event } from './events.ts';
import type { Key, KeyLease, KeyState, Labels, Pause } from './key.ts';
import type { ClearedPool, Pool, PoolPolicy } from './pool.ts';
import type { UsageUnit } from './usage-units.ts';

export type SchemaState = 'ok' | 'older' | 'newer';

export interface Store {
  readonly keys: KeyStore;
  readonly pools: PoolStore;
  readonly clients: ClientStore;
  readonly tickets: TicketStore;
  readonly events: EventStore;
  readonly usage: UsageStore;
  /** Claims are carried out one after the other, so that they may look in the same place; otherwise each starts anywhere. */
  readonly claimsQueue: boolean;
  /** Makes indexes, tables and the default pool; safe to repeat. Has no deadline: an index may take its time. */
  prepare(now: number, defaultPolicy?: PoolPolicy): Promise<void>;
  /** Resolves when the database answers. */
  ping(): Promise<void>;
  /** How the database, as it was prepared last, stands to this version of the program. */
  schemaState(): Promise<SchemaState>;
  /**
   * The indexes that earlier versions asked by and this one does not, in a prepared database. `drop` removes them, which
   * makes processes of those versions slower.
   */
  oldIndexes(options: { drop: boolean }): Promise<string[]>;
  /** Takes note of a sweep that has ended; one that began later stays. */
  noteSweep(at: number): Promise<void>;
  /** When the sweep began that was noted last; undefined when none was. */
  getLastSweep(): Promise<number | undefined>;
  close(): Promise<void>;
}

/** What an acquire writes on the key that it gets. */
export interface Claim {
  /** The pool's reference. */
  readonly pool: string;
  readonly now: number;
  readonly lease: KeyLease;
  /** The lease's end plus the clock tolerance. */
  readonly freeAt: number;
  /** The key's refreshed hard expiration; never before `freeAt`. */
  readonly keyExpiresAt: number;
  /** Hash of the client and the idempotency key. Replaces what the key remembers of an earlier one, also when absent. */
  readonly requestHash?: string | undefined;
  /** Hash of what is asked for; goes with `requestHash`. */
  readonly requestBody?: string | undefined;
  /** Only keys with a seat below this number. */
  readonly seatsBelow?: number | undefined;
  /** See `Key.clientSeat`. Replaces what stands on the key, also when absent. */
  readonly clientSeat?: string | undefined;
}

/**
 * `repeated`: another key already carries the claim's `requestHash`; `client_seat_taken`: another one carries its
 * `clientSeat`. Where both hold, either. Nothing was written.
 */
export type ClaimResult = Key | null | 'repeated' | 'client_seat_taken';

/** What claims a key that is found by a look. */
export interface ClaimableQuery {
  readonly pool: string;
  readonly now: number;
  readonly requestHash?: string | undefined;
  readonly seatsBelow?: number | undefined;
  readonly limit: number;
}

/** A key as it takes a seat of a pool that holds a `targetSize`. */
export type SeatedKey = Pick<Key, 'keyId' | 'pool' | 'state' | 'fencingToken' | 'expiresAt' | 'freeAt'> & {
  readonly seat: number;
};

/** A key on which a lapsed lease stands. */
export type LapsedKey = Pick<Key, 'keyId' | 'pool' | 'fencingToken' | 'freeAt'> & {
  readonly lease: KeyLease;
};

/** Which lease has lapsed, and what is noted of it on the key. */
export interface Lapse {
  readonly keyId: string;
  readonly leaseId: string;
  readonly note?: Event | undefined;
}

/** A key with what is noted on it, oldest first. */
export interface NotedKey {
  readonly keyId: string;
  readonly notes: readonly Event[];
}

/** A creation of keys that is safe to repeat. Times in milliseconds since the epoch. */
export interface Creation {
  /** Hash of the client and the idempotency key. */
  readonly requestHash: string;
  /** Hash of what was asked for. */
  readonly requestBody: string;
  readonly keyIds: readonly string[];
  /** When the record may be forgotten. */
  readonly expiresAt: number;
  readonly done: boolean;
}

/** Which slots a claim looks at: from `from` up to but not including `to`. */
export interface SlotRange {
  readonly from: number;
  readonly to: number;
}

export interface Claimable {
  /** Keys that are free now, whatever their stored state. */
  readonly keys: Key[];
  /** Where there are none: the earliest `freeAt` that is still to come, but of paused keys; undefined when there is none. */
  readonly nextFreeAt?: number | undefined;
}

/** The holder's own lease, as a keep-alive or a release names it. */
export interface HeldLease {
  readonly keyId: string;
  /** The pool's reference. */
  readonly pool: string;
  readonly leaseId: string;
  readonly clientId: string;
  readonly now: number;
}

export interface Extension extends HeldLease {
  readonly leaseExpiresAt: number;
  readonly freeAt: number;
  readonly keyExpiresAt: number;
}

export interface Release extends HeldLease {
  /** A clock tolerance ago; where the key rests first, later. */
  readonly freeAt: number;
  /** The key is deleted, and its seat free at `freeAt`. */
  readonly discard: boolean;
  /** The key forgets its request hash, so that a repeat of that request is a new one. */
  readonly forget: boolean;
  /** What is noted on the key. */
  readonly note?: Event | undefined;
}

/**
 * The seats of a pool, of which each key takes one. What takes a seat:
 * - of this generation: a key until its hard expiration is before `expiredBefore`, a deleted one until its `freeAt`
 * - of earlier generations: a key until its `freeAt`; with `countFormerFree` the same keys as of this generation
 * - of later generations, where the pool was cleared since it was read: the same keys as of this generation
 */
export interface Seats {
  readonly name: string;
  readonly generation: number;
  readonly maxKeys: number;
  readonly now: number;
  /** `now` less the clock tolerance: until then a host whose clock is behind may lease the key. */
  readonly expiredBefore: number;
  /** The pool was cleared so short a time ago that a process may still lease its free keys. */
  readonly countFormerFree: boolean;
}

export interface KeyPage {
  /** The pool's reference. */
  readonly pool: string;
  readonly now: number;
  readonly limit: number;
  /** The slot after which the page starts. */
  readonly after?: number | undefined;
  readonly state?: KeyState | undefined;
  /** Only keys whose id, standing lease's holder, or a label (`name=value`) contains this text, in upper or lower case. */
  readonly search?: string | undefined;
}

/** Where a lease stands among those of its client: by when it was acquired, then by its key. */
export interface LeasePlace {
  readonly acquiredAt: number;
  readonly keyId: string;
}

export interface LeasePage {
  readonly clientId: string;
  readonly limit: number;
  /** Where the last lease of the page before stands. */
  readonly after?: LeasePlace | undefined;
}

/** Keys per state, each counted up to the limit that was asked for. */
export interface KeyCounts {
  readonly free: number;
  readonly leased: number;
  readonly cooling: number;
  readonly paused: number;
  /** The earliest `freeAt` that is still to come, but of paused keys; undefined when there is none. */
  readonly nextFreeAt?: number | undefined;
}

/** What the hard expiration of a pool's keys has to be after its policy changed, or all of them were refreshed. */
export interface Lifetime {
  /** The pool's reference. */
  readonly pool: string;
  readonly now: number;
  /** A key that expires earlier, but has not yet, is moved here. */
  readonly expiresAt: number;
  /** A key that expires later than this is moved to `expiresAt`, unless its `freeAt` is later. */
  readonly latest: number;
  readonly limit: number;
}

/**
 * A write that ends a lease, or a pause, takes a `note` of it: an event that is put on the key by that same write. A key that carries
 * notes is not removed by any verb until they are cleared. It keeps the latest 100 (no sweep ran for long then).
 */
export interface KeyStore {
  /**
   * Adds keys, all or none visible. `full`: with `seats`, the pool would have more keys than seats, whatever is created
   * at the same time. `exists`: a key with the same id, the same value hash, or one of `otherHashes` as its value hash
   * stands already, in whatever state. In both cases nothing is added. `otherHashes` are those under which a host whose
   * vault has the same keys in another order adds the same values; both being added at once, one of them is refused.
   * @throws DatabaseUnavailableError also when it cannot be told, because of creations that are under way
   */
  create(
    keys: readonly Key[],
    seats: Seats | null,
    otherHashes?: readonly string[],
  ): Promise<'created' | 'full' | 'exists'>;
  /** Takes note of a creation, unless one with the same request hash stands that is not to be forgotten; returns the one that stands then. */
  beginCreation(creation: Creation, now: number): Promise<Creation>;
  finishCreation(requestHash: string): Promise<void>;
  /** The keys of these ids as stored, deleted and expired ones included. */
  listStored(keyIds: readonly string[]): Promise<Key[]>;
  /** The keys that carry one of these value hashes, as stored. */
  listByValue(valueHashes: readonly string[]): Promise<Key[]>;
  /**
   * Reserves fencing tokens for values that are imported: for each the first of 2^32 tokens, not below `now`, that no
   * import of the same value had before. `hashes` are all the hashes that a value may be noted under, the current first.
   */
  reserveTokens(values: readonly { hashes: readonly string[] }[], now: number): Promise<number[]>;
  /** Removes a key for good, if it stands as found and carries no notes. */
  remove(found: Pick<Key, 'keyId' | 'state' | 'fencingToken' | 'expiresAt' | 'freeAt'>): Promise<boolean>;

  /** Adds one key, free or leased, on its seat. `seat_taken`: another key has the seat, in whatever state. */
  mint(key: Key): Promise<Key | 'seat_taken' | 'repeated' | 'client_seat_taken'>;
  /** Adds those of the keys whose seat is not taken; returns how many. */
  mintMissing(keys: readonly Key[]): Promise<number>;
  /** The keys that take the pool's seats below `below`, of every generation and state. */
  listSeated(query: { name: string; below: number }): Promise<SeatedKey[]>;
  /** How many these are. */
  countSeated(query: { name: string; below: number }): Promise<number>;
  /** Those of them whose `freeAt` has passed. */
  listSeatedFree(query: { name: string; below: number; now: number }): Promise<SeatedKey[]>;
  /**
   * Counts up to `limit` keys of the pool without a seat below `below` that somebody holds, or that cool.
   * `countFormer`: those of its earlier generations too.
   */
  countBeyond(query: {
    pool: string;
    below: number;
    now: number;
    limit: number;
    countFormer: boolean;
  }): Promise<number>;
  /** Sweep: removes up to `limit` free keys of the pool, but paused ones, without a seat below `below`; returns how many. */
  removeBeyond(query: { pool: string; below: number; now: number; limit: number }): Promise<number>;
  /** The keys whose `clientSeat` starts with this text. */
  listClientSeats(prefix: string): Promise<Key[]>;
  /** Replaces the labels of a key. */
  setLabels(query: { keyId: string; now: number; labels: Labels }): Promise<Key | null>;

  /** Acquire, the happy path: leases a free key that is stored as free, in this range of slots, other than one with the same request hash. */
  claim(claim: Claim, slots: SlotRange): Promise<ClaimResult>;
  /**
   * The keys of the pool that are free at `now`, up to `limit`, those that were used last first. A key that is free
   * throughout the call is found, whatever happens to it meanwhile.
   */
  listClaimable(query: ClaimableQuery): Promise<Claimable>;
  /** Acquire, otherwise: leases exactly this key if it stands as found; a lapsed lease on it is recorded as lapsed. */
  reclaim(found: Key, claim: Claim, note?: Event): Promise<ClaimResult>;
  /** The key that carries the request hash, expired ones included; read by a write, so that nothing unconfirmed is returned. */
  confirmRequest(requestHash: string): Promise<Key | null>;
  /** The slot up to which the first `keys` keys of the pool that are stored as free lie; 1 when there are fewer. */
  measureSlots(query: { pool: string; keys: number }): Promise<number>;

  /** Keep-alive: moves the ends of a live lease forward. */
  extend(extension: Extension): Promise<Key | null>;
  /** Release: ends a live lease of this client; the key is free at `freeAt`, or deleted. Returns when it was acquired. */
  release(release: Release): Promise<Pick<KeyLease, 'acquiredAt'> | null>;
  /** Writes down that a lease has lapsed (its end has passed at `now`), so that no late keep-alive revives it. `freeAt` stays. */
  recordLapse(lapse: Lapse & { now: number }): Promise<boolean>;
  /** Ends the lease, if any, if the key stands as found; the key is free at `freeAt`. */
  unblock(found: Key, freeAt: number, note?: Event): Promise<Key | null>;
  /** Ends the lease, if any, and hides the key, if it stands as found; its seat is free at `freeAt`. */
  delete(found: Key, freeAt: number, note?: Event): Promise<boolean>;
  /** Takes a key out of service, unless it is: no claim gets it, and it does not expire. A lease on it goes on. */
  pause(query: { keyId: string; now: number; paused: Pause; note?: Event }): Promise<Key | null>;
  /** Ends the pause, if the key stands as found and that pause is the one that was found; the key expires at `keyExpiresAt`. */
  resume(found: Key, keyExpiresAt: number, note?: Event): Promise<Key | null>;
  /** Moves the hard expiration of a key forward. */
  refresh(query: { keyId: string; now: number; keyExpiresAt: number }): Promise<Key | null>;

  /** The key, unless it is deleted or past its hard expiration. */
  get(keyId: string, now: number): Promise<Key | null>;
  /** The key as stored, deleted and expired ones included: what a key remembers of its leases. */
  getStored(keyId: string): Promise<Key | null>;
  /**
   * A page of keys by ascending slot, without deleted and expired ones. One page walks past a few thousand keys at the
   * most, so that it may be short, or empty, although more follow: `next` is where to go on, absent at the end.
   */
  list(page: KeyPage): Promise<{ keys: Key[]; next?: number | undefined }>;
  /**
   * A page of the keys on which a lease of the client stands, the oldest first. Lapsed ones are among them as long as
   * nobody has written that down: to leave them out, a page would have to walk past any number.
   */
  listLeased(page: LeasePage): Promise<Key[]>;
  /** The first `limit` clients after this id of whom a lease stands on some key, by ascending id. */
  listLeasingClients(query: { after: string; limit: number }): Promise<string[]>;
  /** Counts up to `limit` keys per state. */
  count(query: { pool: string; now: number; limit: number }): Promise<KeyCounts>;

  /** Sweep: up to `limit` keys of these pools on which a lapsed lease stands and whose `freeAt` has passed. */
  listLapsed(query: { pools: readonly string[]; now: number; limit: number }): Promise<LapsedKey[]>;
  /** Sweep: frees those of the keys on which that lapsed lease still stands; returns how many. */
  recordLapses(query: { lapses: readonly Lapse[]; now: number }): Promise<number>;
  /** Up to `limit` keys that carry notes, of those with the ids where they are given. */
  listNoted(query: { limit: number; keyIds?: readonly string[] | undefined }): Promise<NotedKey[]>;
  /** Takes the notes off those of the keys that carry the notes that were read and no others. */
  clearNotes(noted: readonly NotedKey[]): Promise<void>;
  /**
   * Sweep: moves the hard expiration of up to `limit` keys without a value to where the pool's policy has it, both ways, never before
   * a key's `freeAt`. Paused keys stay. `complete`: no other key that expires too late is left.
   */
  applyLifetime(lifetime: Lifetime): Promise<{ moved: number; complete: boolean }>;
  /** Sweep: removes up to `limit` keys past their hard expiration; returns how many. */
  removeExpired(query: { now: number; limit: number }): Promise<number>;
  /**
   * Sweep: removes up to `limit` keys of the pool's generations before this one, each not before its `freeAt`, since
   * until then it takes a seat. `complete`: none of them is left.
   */
  removeGenerations(query: {
    name: string;
    before: number;
    now: number;
    limit: number;
  }): Promise<{ removed: number; complete: boolean }>;
}

export interface PoolStore {
  /** The pool, unless deleted. */
  get(name: string): Promise<Pool | null>;
  /** Creates the pool; one that was deleted comes back with the generation that its deletion began. Null: it exists. */
  create(name: string, policy: PoolPolicy, now: number): Promise<Pool | null>;
  /**
   * Replaces the policy if the pool stands as found (its generation and `updatedAt`). `updatedAt` becomes `now`, or
   * one more than it was. `refreshedAt`, where given, becomes the pool's.
   */
  update(
    found: Pool,
    change: { policy: PoolPolicy; now: number; refreshedAt?: number | undefined },
  ): Promise<Pool | null>;
  /** Takes note that all keys of this generation count as refreshed at `refreshedAt`, or at a later moment that is noted already. */
  requestRefresh(found: Pool, refreshedAt: number): Promise<boolean>;
  /** Forgets `refreshedAt`, if it is still as found. */
  forgetRefresh(found: Pool): Promise<void>;
  /** Starts a new generation, if the pool's generation is as found: its keys are gone. With `deleted`, so is the pool. */
  clear(found: Pool, options: { generation: number; now: number; deleted: boolean }): Promise<boolean>;
  /** A page of pools by ascending name, without deleted ones. */
  list(page: { limit: number; after?: string | undefined }): Promise<Pool[]>;
  /** Pools that were cleared and not yet forgotten, deleted ones too. */
  listCleared(): Promise<ClearedPool[]>;
  /** Forgets that the pool was cleared, if it was not cleared again. */
  forgetCleared(cleared: ClearedPool): Promise<void>;
}

/** Where a ticket stands in the queue: its `order` and its `number`. */
export type Place = readonly [order: number, number: number];

/** A place in the queue of a fair pool. Times are milliseconds since the epoch. */
export interface Ticket {
  readonly ticketId: string;
  /** The pool's reference. */
  readonly pool: string;
  readonly clientId: string;
  readonly holder?: string | undefined;
  readonly priority: number;
  /** How many keys it waits for, all or none. */
  readonly count: number;
  /** When it was given; never before that of a ticket of the same pool that was given earlier, whatever the clocks say. */
  readonly createdAt: number;
  /** Grows with each ticket of the pool. */
  readonly number: number;
  /** `createdAt` less what its priority is worth. Who has less goes first, and of equals the smaller `number`. */
  readonly order: number;
  /** It lapses unless it is used before. */
  readonly expiresAt: number;
}

export interface TicketStore {
  /** Adds a ticket, with the next number of its pool. `advanceMs`: what its priority is worth. */
  create(
    ticket: Pick<Ticket, 'ticketId' | 'pool' | 'clientId' | 'holder' | 'priority' | 'count' | 'expiresAt'>,
    at: { now: number; advanceMs: number },
  ): Promise<Ticket>;
  /** Moves the lapse of a live ticket of this client and pool forward. */
  use(query: {
    ticketId: string;
    pool: string;
    clientId: string;
    now: number;
    expiresAt: number;
  }): Promise<Ticket | null>;
  /** Counts up to `limit` keys that live tickets of the pool wait for: those that go before this one, or all. */
  countAhead(query: {
    pool: string;
    before?: Pick<Ticket, 'order' | 'number'> | undefined;
    now: number;
    limit: number;
  }): Promise<number>;
  /** A page of the pool's live tickets in the order of the queue. */
  list(page: { pool: string; now: number; limit: number; after?: Place | undefined }): Promise<Ticket[]>;
  /** The ticket, lapsed or not. */
  get(ticketId: string): Promise<Ticket | null>;
  remove(ticketId: string): Promise<boolean>;
  /** Sweep: removes up to `limit` lapsed tickets; returns how many. */
  removeLapsed(query: { now: number; limit: number }): Promise<number>;
}

export interface ClientStore {
  /** Adds or replaces a client. */
  put(client: Client): Promise<void>;
  get(clientId: string): Promise<Client | null>;
  /** A page of clients by ascending id. */
  list(page: { limit: number; after?: string | undefined }): Promise<Client[]>;
  /**
   * Replaces a client's secrets, all of these fields, if its newest secret is still the one that was found (`changed`:
   * it is not, or the client is gone). The last lasting admin is not made to expire; see `remove`.
   */
  rotate(
    found: Pick<Client, 'clientId' | 'secretHash'>,
    secrets: SecretFields,
    now: number,
  ): Promise<'rotated' | 'changed' | 'last_admin'>;
  /** Notes that the client's credential was used in the hour that begins at `lastUsedAt`, unless a later use is noted. */
  noteUse(clientId: string, lastUsedAt: number): Promise<void>;
  /**
   * Removes a client, but never the last lasting admin: one that neither is limited to some pools nor expires. Also
   * when two admins remove each other at once, or one is removed while the other is made to expire (then both may be
   * refused).
   */
  remove(clientId: string, now: number): Promise<'removed' | 'not_found' | 'last_admin'>;
}

/** An event where it stands in the order of all events. A position grows, and is nobody else's. */
export type PlacedEvent = Event & { readonly position: number };

/** What a list of events is narrowed down to. */
export type EventFilter = Pick<Event, 'pool' | 'keyId' | 'clientId' | 'holder' | 'type'>;

export interface EventStore {
  /** Records those of the events that are not recorded yet, by their ids. They are forgotten at `expiresAt`. */
  add(events: readonly Event[], at: { now: number; expiresAt: number }): Promise<void>;
  /**
   * The events after a position, or the last ones (`tail`), in their order. `next`: every event up to there is in this
   * page or does not match. No event that is recorded later stands before `next`, however long its recorder took. `by`: the
   * one field that the index goes by.
   */
  list(query: {
    now: number;
    limit: number;
    after?: number | undefined;
    tail?: boolean | undefined;
    by?: { [Field in keyof EventFilter]: { field: Field; value: string } }[keyof EventFilter] | undefined;
  }): Promise<{ events: PlacedEvent[]; next: number }>;
  /** Sweep: removes up to `limit` events that are to be forgotten; returns how many. */
  removeExpired(query: { now: number; limit: number }): Promise<number>;
  /**
   * Makes `owner` the one sender to this receiver until `until`, unless another one is; the same owner goes on. `sentTo`:
   * the position up to which events were sent; 0 at the first time.
   */
  claimDelivery(query: {
    receiver: string;
    owner: string;
    now: number;
    until: number;
  }): Promise<{ sentTo: number } | null>;
  /** Takes note of how far events were sent (never back), and lets others send, if `owner` is still the sender. */
  finishDelivery(query: { receiver: string; owner: string; sentTo: number }): Promise<boolean>;
  /** Up to where events were sent; null: nobody has sent any. */
  getDelivery(receiver: string): Promise<{ sentTo: number } | null>;
}

/** What a pool was used for at one moment. Each count ends at a limit. */
export interface UsageFigures {
  readonly leased: number;
  readonly free: number;
  readonly cooling: number;
  readonly waiting: number;
  /** Leased or cooling. */
  readonly taken: number;
  readonly keys: number;
  /** A count came to its limit: it may be more, and so may the sums. */
  readonly atLeast: boolean;
}

/** What is known of one moment; without figures that an acquire was refused and nothing else. */
export interface UsageSample {
  /** The pool's name: its usage outlives its generations. */
  readonly pool: string;
  readonly at: number;
  readonly figures?: UsageFigures | undefined;
  readonly refused: boolean;
}

/** All samples of one minute or hour: of each figure the greatest, `free` and `leastLeased` the least. */
export interface UsageEntry {
  /** Where the minute or hour begins. */
  readonly at: number;
  /** Of how many of its minutes there is a sample. */
  readonly minutes: number;
  /** In how many of them an acquire was refused. */
  readonly refusedMinutes: number;
  readonly figures?: (UsageFigures & { readonly leastLeased: number }) | undefined;
}

export interface UsageStore {
  /** Adds samples to their minutes and hours. In whatever order they come, and however often, the outcome is the same. */
  record(samples: readonly UsageSample[]): Promise<void>;
  /** What is known of a pool from `from` up to but not including `to`, in order; no entry where nothing is. */
  list(query: { pool: string; unit: UsageUnit; from: number; to: number }): Promise<UsageEntry[]>;
  /** Sweep: removes up to `limit` stored records that are to be forgotten; returns how many. */
  removeExpired(query: { now: number; limit: number }): Promise<number>;
}

/**
 * The port: every verb is atomic, and every condition is inside the write, never read-then-write.
 *
 * free      nobody holds the key and `freeAt` has passed
 * leased    a lease stands on it and its end has not passed
 * cooling   its lease is over, but `freeAt` has not passed
 * deleted   hidden from every read at once; removed once `freeAt` has passed
 *
 * Times are milliseconds since the epoch. Each verb judges by the `now` (or the times) it is given and by nothing
 * else, so a command that is carried out late shortens, revives and steals nothing. A verb that finds its condition
 * unmet changes nothing and answers `null`, `false` or 0. Every verb throws `DatabaseUnavailableError` when the
 * database does not answer or the outcome of a write is unknown.
 */
import type { Client } from './client.ts';
import type { Key, KeyLease, KeyState } from './key.ts';
import type { ClearedPool, Pool, PoolPolicy } from './pool.ts';

export interface Store {
  readonly keys: KeyStore;
  readonly pools: PoolStore;
  readonly clients: ClientStore;
  /** Makes indexes, tables and the default pool; safe to repeat. */
  prepare(now: number): Promise<void>;
  /** Resolves when the database answers. */
  ping(): Promise<void>;
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
  readonly requestHash?: string;
}

/** `repeated`: another key already carries the claim's `requestHash`, so the claim wrote nothing. */
export type ClaimResult = Key | null | 'repeated';

export interface Extension {
  readonly keyId: string;
  /** The pool's reference. */
  readonly pool: string;
  readonly leaseId: string;
  readonly clientId: string;
  readonly now: number;
  readonly leaseExpiresAt: number;
  readonly freeAt: number;
  readonly keyExpiresAt: number;
}

export interface Release {
  readonly keyId: string;
  readonly pool: string;
  readonly leaseId: string;
  readonly clientId: string;
  readonly now: number;
}

export interface KeyPage {
  /** The pool's reference. */
  readonly pool: string;
  readonly now: number;
  readonly limit: number;
  /** The slot of the last key of the page before. */
  readonly after?: number;
  readonly state?: KeyState;
  /** Only keys whose id, or whose standing lease's holder, starts with this text. */
  readonly search?: string;
}

export interface LeasePage {
  readonly clientId: string;
  readonly now: number;
  readonly limit: number;
  /** The id of the last key of the page before. */
  readonly after?: string;
}

/** Keys per state, each counted up to the limit that was asked for. */
export interface KeyCounts {
  readonly free: number;
  readonly leased: number;
  readonly cooling: number;
  /** The earliest `freeAt` that is still to come; undefined when no key is leased or cooling. */
  readonly nextFreeAt?: number;
}

export interface KeyStore {
  /**
   * Adds keys, all or none visible. With `maxKeys`, answers false and adds nothing when the pool would then hold
   * more (deleted keys that still cool hold their seat), whatever is created at the same time.
   */
  create(keys: readonly Key[], limit: { maxKeys: number | null; now: number }): Promise<boolean>;

  /** Acquire, the happy path: leases a key that is stored as free, from `slot` upwards, other than one with the same request hash. */
  claim(claim: Claim, slot: number): Promise<ClaimResult>;
  /** The keys of the pool that are free soonest, whatever their stored state, earliest `freeAt` first; some may not be free yet. */
  findClaimable(query: { pool: string; now: number; requestHash?: string; limit: number }): Promise<Key[]>;
  /** Acquire, otherwise: leases exactly this key if it still stands as found; a lapsed lease on it is recorded as lapsed. */
  reclaim(found: Key, claim: Claim): Promise<ClaimResult>;
  /** The key that carries the request hash, expired ones included; read by a write, so that nothing unconfirmed is answered. */
  confirmRequest(requestHash: string): Promise<Key | null>;

  /** Keep-alive: moves the ends of a live lease forward. */
  extend(extension: Extension): Promise<Key | null>;
  /** Release: ends a live lease of this client; the key is free at `now`. */
  release(release: Release): Promise<boolean>;
  /** Writes down that a lease has lapsed (its end has passed at `now`), so that no late keep-alive revives it. `freeAt` stays. */
  recordLapse(query: { keyId: string; leaseId: string; now: number }): Promise<boolean>;
  /** Ends a lease if the key still stands as found; the key is free at `freeAt`. */
  unblock(found: Key, freeAt: number): Promise<Key | null>;
  /** Ends the lease, if any, and hides the key, if it still stands as found; its seat is free at `freeAt`. */
  delete(found: Key, freeAt: number): Promise<boolean>;
  /** Moves the hard expiration of a key forward. */
  refresh(query: { keyId: string; now: number; keyExpiresAt: number }): Promise<Key | null>;

  /** The key, unless it is deleted or past its hard expiration. */
  find(keyId: string, now: number): Promise<Key | null>;
  /** The key as stored, deleted and expired ones included: what a key remembers of its leases. */
  recall(keyId: string): Promise<Key | null>;
  /** A page of keys by ascending slot, without deleted and expired ones. */
  list(page: KeyPage): Promise<Key[]>;
  /** A page of the keys on which the client holds a live lease, by ascending id. */
  listLeased(page: LeasePage): Promise<Key[]>;
  /** Counts up to `limit` keys per state. */
  count(query: { pool: string; now: number; limit: number }): Promise<KeyCounts>;

  /** Sweep: up to `limit` keys of these pools on which a lapsed lease stands and whose `freeAt` has passed. */
  findLapsed(query: {
    pools: readonly string[];
    now: number;
    limit: number;
  }): Promise<Pick<Key, 'keyId' | 'pool'>[]>;
  /** Sweep: frees those of the keys on which a lapsed lease still stands; answers how many. */
  recordLapses(query: { keyIds: readonly string[]; now: number }): Promise<number>;
  /** Sweep: removes up to `limit` keys past their hard expiration; answers how many. */
  removeExpired(query: { now: number; limit: number }): Promise<number>;
  /** Sweep: removes up to `limit` keys of the pool's generations before this one; answers how many. */
  removeGenerations(query: { name: string; before: number; limit: number }): Promise<number>;
}

export interface PoolStore {
  /** The pool, unless deleted. */
  find(name: string): Promise<Pool | null>;
  /** Creates the pool (a new generation) or replaces its policy. */
  put(name: string, policy: PoolPolicy, now: number): Promise<{ pool: Pool; created: boolean }>;
  /** Creates the pool only if it does not exist and was never deleted. */
  createIfMissing(name: string, policy: PoolPolicy, now: number): Promise<void>;
  /** Starts a new generation, if the pool still stands as found: its keys are gone. With `deleted`, so is the pool. */
  clear(found: Pool, options: { generation: number; now: number; deleted: boolean }): Promise<boolean>;
  /** A page of pools by ascending name, without deleted ones. */
  list(page: { limit: number; after?: string }): Promise<Pool[]>;
  /** Pools that were cleared and not yet forgotten. */
  listCleared(): Promise<ClearedPool[]>;
  /** Forgets that the pool was cleared, if it was not cleared again. */
  forgetCleared(cleared: ClearedPool): Promise<void>;
}

export interface ClientStore {
  /** Adds or replaces a client. */
  put(client: Client): Promise<void>;
  find(clientId: string): Promise<Client | null>;
  /** A page of clients by ascending id. */
  list(page: { limit: number; after?: string }): Promise<Client[]>;
  remove(clientId: string): Promise<boolean>;
}

import { beforeEach } from 'vitest';
import type { HeldLease } from '../../../shared/contract/leases.ts';
import { type AcquireRequest, acquireLease } from '../../../shared/domain/acquire-lease.ts';
import type { Caller } from '../../../shared/domain/client.ts';
import type { Context } from '../../../shared/domain/context.ts';
import { createKeys } from '../../../shared/domain/create-keys.ts';
import { DEFAULT_POOL, type PoolPolicy } from '../../../shared/domain/pool.ts';
import { putPool } from '../../../shared/domain/pools.ts';
import type { Store } from '../../../shared/domain/store.ts';
import { ValueVault, type VaultKey } from '../../../shared/domain/value-vault.ts';
import { createRuntime } from '../../../shared/runtime/runtime.ts';
import { NOW } from '../../store/contract/scene.ts';
import { type MakeStore, useStore } from '../../store/contract/store-fixture.ts';

export const SECOND = 1000;
/** The length of a lease and the life of a key under the default policy, and the clock tolerance of every process. */
export const LEASE = 60 * SECOND;
export const KEY_LIFE = 300 * SECOND;
export const TOLERANCE = 1000;

export const ADMIN: Caller = { clientId: 'admin', role: 'admin' };
export const ALICE: Caller = { clientId: 'alice', role: 'client' };
export const BOB: Caller = { clientId: 'bob', role: 'client' };

/** One database, the processes that work on it, and the time, which passes only when a test says so. */
export interface World {
  /** The first process; its clock is right. */
  readonly context: Context;
  readonly store: Store;
  readonly now: number;
  passTime(ms: number): void;
  /** Another process: its own connection, its own cache of pools and its own clock. */
  startProcess(options?: { clockAheadMs: number }): Promise<Context>;
}

/** The world of the running test; call it inside a `describe`. */
export function useWorld(makeStore: MakeStore): World {
  const fixture = useStore(makeStore);
  let now = NOW;
  let context: Context;

  const startProcessOn = (store: Store, clockAheadMs = 0): Context =>
    startProcess(store, () => now + clockAheadMs);

  beforeEach(() => {
    now = NOW;
    context = startProcessOn(fixture.store);
  });

  return {
    get context() {
      return context;
    },
    get store() {
      return fixture.store;
    },
    get now() {
      return now;
    },
    passTime(ms) {
      now += ms;
    },
    async startProcess(options) {
      return startProcessOn(await fixture.another(), options?.clockAheadMs);
    },
  };
}

/** A process that works on this store: with caches of its own. */
export function startProcess(store: Store, clock: () => number): Context {
  return createRuntime(store, { clock, clockSkewToleranceMs: TOLERANCE }).context;
}

/** The same process, with these keys to seal and open values, the first one seals. */
export function withVault(context: Context, ...keys: [VaultKey, ...VaultKey[]]): Context {
  const vault = new ValueVault(keys);
  return { ...context, vault: async () => vault };
}

/** The same process, but what it does was sent at `sentAt` and is carried out only now. */
export function carriedOutLate(context: Context, sentAt: number): Context {
  return { ...context, clock: () => sentAt };
}

/** Adds free keys; returns their ids. */
export async function addKeys(context: Context, count: number, pool = DEFAULT_POOL): Promise<string[]> {
  const { keys } = await createKeys(context, ADMIN, { pool, count });
  return keys.map((key) => key.keyId);
}

/** Adds one free key; returns its id. */
export async function addKey(context: Context, pool = DEFAULT_POOL): Promise<string> {
  const [keyId] = await addKeys(context, 1, pool);
  return keyId as string;
}

/** The default policy but for what is given. */
export async function setPolicy(
  context: Context,
  policy: Partial<PoolPolicy>,
  pool = DEFAULT_POOL,
): Promise<void> {
  await putPool(context, ADMIN, pool, { policy });
}

/** A lease of a key of the default pool, unless the request names another. */
export async function acquire(
  context: Context,
  caller: Caller,
  request: Partial<AcquireRequest> = {},
): Promise<HeldLease> {
  return (await acquireOrRepeat(context, caller, request)).lease;
}

/** The same, and whether it is the lease of an earlier request. */
export async function acquireOrRepeat(
  context: Context,
  caller: Caller,
  request: Partial<AcquireRequest> = {},
): Promise<{ lease: HeldLease; repeated: boolean }> {
  const acquired = await acquireLease(context, caller, { pool: DEFAULT_POOL, ...request });
  if ('waiting' in acquired) throw new Error('Expected a lease, not a ticket');
  return acquired;
}

/** Milliseconds since the epoch as a caller reads them. */
export function toTime(ms: number): string {
  return new Date(ms).toISOString();
}

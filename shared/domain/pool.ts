import { NEVER_EXPIRES } from './key.ts';

/** The rules of a pool. */
export interface PoolPolicy {
  /** The longest lease, in seconds. */
  readonly leaseSeconds: number;
  /** A key's life after creation or refresh, in seconds; `null`: it never expires. */
  readonly keyTtlSeconds: number | null;
  /** The most keys the pool may hold; `null`: no limit. */
  readonly maxKeys: number | null;
  /** No new leases; live ones go on. */
  readonly paused: boolean;
}

/** A named set of interchangeable keys under one policy. */
export interface Pool extends PoolPolicy {
  readonly name: string;
  /**
   * Grows each time the pool is emptied or deleted. Keys belong to one generation, so that a pool of a million
   * keys is emptied by one write, and a pool created again under the same name never sees the old keys.
   */
  readonly generation: number;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** A pool whose earlier generations the sweep still has to remove. */
export interface ClearedPool {
  readonly name: string;
  readonly generation: number;
  readonly clearedAt: number;
  /** False for the default pool, which is emptied but goes on. */
  readonly deleted: boolean;
}

export const DEFAULT_POOL = 'default';

export const DEFAULT_POLICY: PoolPolicy = {
  leaseSeconds: 60,
  keyTtlSeconds: 300,
  maxKeys: null,
  paused: false,
};

/** What keys carry as their pool: the name and the generation. Fixed width, so that older generations sort below. */
export function poolReference(pool: { name: string; generation: number }): string {
  return `${pool.name}/${String(pool.generation).padStart(15, '0')}`;
}

/** The name in a pool reference. */
export function poolName(reference: string): string {
  const slash = reference.indexOf('/');
  return slash < 0 ? reference : reference.slice(0, slash);
}

/** The generation to follow `generation`: grows even when the clock went back. */
export function nextGeneration(generation: number, now: number): number {
  return Math.max(generation + 1, now);
}

/** When a key that is created or refreshed now expires for good; never before `freeAt`. */
export function hardExpiration(policy: PoolPolicy, now: number, freeAt = now): number {
  return policy.keyTtlSeconds === null ? NEVER_EXPIRES : Math.max(now + policy.keyTtlSeconds * 1000, freeAt);
}

import { type PoolPolicy, policySchema } from '../contract/pools.ts';
import { NEVER_EXPIRES } from './key.ts';

export type { PoolPolicy };

/** A named set of interchangeable keys under one policy. Times are milliseconds since the epoch. */
export interface Pool {
  readonly name: string;
  /**
   * Grows each time the pool is emptied or deleted. Keys belong to one generation, so that a pool of a million
   * keys is emptied by one write, and a pool created again under the same name never sees the old keys.
   */
  readonly generation: number;
  readonly policy: PoolPolicy;
  readonly createdAt: number;
  /** Grows with every change of the policy, also when two come within one millisecond. */
  readonly updatedAt: number;
  /** When this generation began, as long as the sweep may find keys of earlier ones. */
  readonly clearedAt?: number | undefined;
  /** All keys count as refreshed at this moment; the sweep has still to write it on them. */
  readonly refreshedAt?: number | undefined;
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

export const DEFAULT_POLICY: PoolPolicy = policySchema.parse({});

/** A policy as an older or newer version stored it: what it lacks has its default, what is unknown here is left out. */
export function readPolicy(stored: Partial<PoolPolicy>): PoolPolicy {
  const entries = Object.entries(DEFAULT_POLICY).map(([field, standard]) => {
    const value = stored[field as keyof PoolPolicy];
    return [field, value === undefined ? standard : value];
  });
  return Object.fromEntries(entries) as PoolPolicy;
}

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

/** When a key whose lease ends at `expiresAt` is free, unless it is released: after the clock tolerance, and its rest. */
export function freeAfter(
  { clockSkewToleranceMs }: { clockSkewToleranceMs: number },
  { cooldownSeconds }: PoolPolicy,
  expiresAt: number,
): number {
  return expiresAt + clockSkewToleranceMs + cooldownSeconds * 1000;
}

/** When a key that is created or refreshed now expires for good; never before `freeAt`. */
export function hardExpiration({ keyTtlSeconds }: PoolPolicy, now: number, freeAt = now): number {
  return keyTtlSeconds === null ? NEVER_EXPIRES : Math.max(now + keyTtlSeconds * 1000, freeAt);
}

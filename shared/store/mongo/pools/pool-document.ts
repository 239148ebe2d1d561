import type { Pool, PoolPolicy } from '../../../domain/pool.ts';

/** A deleted pool stays, hidden, until the sweep has removed its keys. */
export interface PoolDocument extends PoolPolicy {
  readonly _id: string;
  readonly generation: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** When its latest generation began, if the sweep may still have keys of earlier ones to remove. */
  readonly clearedAt?: Date;
  readonly deletedAt?: Date;
}

/** The policy without anything else that an object may carry. */
export function toPolicyFields(policy: PoolPolicy): PoolPolicy {
  const { leaseSeconds, keyTtlSeconds, maxKeys, paused } = policy;
  return { leaseSeconds, keyTtlSeconds, maxKeys, paused };
}

export function toPool(document: PoolDocument): Pool {
  return {
    name: document._id,
    generation: document.generation,
    ...toPolicyFields(document),
    createdAt: document.createdAt.getTime(),
    updatedAt: document.updatedAt.getTime(),
  };
}

import { type Caller, requirePool } from '../client.ts';
import type { Context } from '../context.ts';
import { describePool, type PoolView } from './pool-view.ts';

/** @throws PoolNotFoundError, ForbiddenError */
export async function findPool(context: Context, caller: Caller, name: string): Promise<PoolView> {
  requirePool(caller, name);
  const now = context.clock();
  return describePool(context, await context.pools.read(name, now), now);
}

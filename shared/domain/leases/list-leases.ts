import type { Caller } from '../client.ts';
import type { Context } from '../context.ts';
import { type Key, liveLeaseAt } from '../key.ts';
import { poolName } from '../pool.ts';
import { describeLease, type LeaseView } from './lease-view.ts';

/**
 * A page of the caller's live leases by key id; `next` is where the page after it starts. Leases in pools that were
 * deleted, or that the credential no longer covers, are left out.
 */
export async function listLeases(
  context: Context,
  caller: Caller,
  request: { limit: number; after?: string | undefined },
): Promise<{ leases: LeaseView[]; next?: string }> {
  const now = context.clock();
  const { limit, after } = request;
  const found = await context.store.keys.listLeased({
    clientId: caller.clientId,
    now,
    limit: limit + 1,
    ...(after !== undefined && { after }),
  });
  const page = found.slice(0, limit);
  const last = page.at(-1);
  const leases: LeaseView[] = [];
  for (const key of page) {
    const lease = liveLeaseAt(key, now);
    if (lease !== undefined && (await isVisible(context, caller, key, now)))
      leases.push(describeLease(key, lease, now));
  }
  return { leases, ...(found.length > limit && last !== undefined && { next: last.keyId }) };
}

async function isVisible(context: Context, caller: Caller, key: Key, now: number): Promise<boolean> {
  if (caller.pools !== undefined && !caller.pools.includes(poolName(key.pool))) return false;
  return (await context.pools.getGeneration(key.pool, now)) !== undefined;
}

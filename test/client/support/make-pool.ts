import type { OrchestratorClient } from '../../../client/sdk/create-client.ts';

let pools = 0;

/** A pool of its own for one test. */
export async function makePool(
  client: OrchestratorClient,
  options: { readonly leaseSeconds?: number; readonly keys?: number } = {},
): Promise<string> {
  const { leaseSeconds = 60, keys = 1 } = options;
  const pool = `pool-${process.pid}-${++pools}`;
  await client.pools.put(pool, { leaseSeconds, keyTtlSeconds: null });
  if (keys > 0) await client.keys.create({ pool, count: keys });
  return pool;
}

import { createClient, type OrchestratorClient } from 'token-orchestrator';

/** A client of the service that the environment names. */
export function connect(): OrchestratorClient {
  const url = process.env.TOKEN_ORCHESTRATOR_URL ?? 'http://127.0.0.1:3000';
  const credential = process.env.TOKEN_ORCHESTRATOR_CREDENTIAL ?? '';
  return createClient({ url, credential });
}

/** A pool with `count` keys in it, that never expire. */
export async function preparePool(client: OrchestratorClient, pool: string, count: number): Promise<void> {
  await client.pools.put(pool, { leaseSeconds: 60, keyTtlSeconds: null });
  const { keys } = await client.keys.list({ pool, limit: 200 });
  if (keys.length < count) await client.keys.create({ pool, count: count - keys.length });
}

import { createClient, NotFoundError } from 'token-orchestrator';

/** A client of the service that the environment names. */
export function connect() {
  const url = process.env.TOKEN_ORCHESTRATOR_URL ?? 'http://127.0.0.1:3000';
  const credential = process.env.TOKEN_ORCHESTRATOR_CREDENTIAL ?? '';
  return createClient({ url, credential });
}

/**
 * A pool with at least `count` keys in it. One that is there keeps its policy.
 * @param {import('token-orchestrator').OrchestratorClient} client
 * @param {string} pool
 * @param {number} count
 */
export async function preparePool(client, pool, count) {
  try {
    await client.pools.get(pool);
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error;
    await client.pools.put(pool, { leaseSeconds: 60, keyTtlSeconds: null });
  }
  const { keys } = await client.keys.list({ pool, limit: 200 });
  if (keys.length < count) await client.keys.create({ pool, count: count - keys.length });
}

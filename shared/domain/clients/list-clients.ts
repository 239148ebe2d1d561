import type { Caller, Client } from '../client.ts';
import type { Context } from '../context.ts';
import { requireUnlimited } from './require-unlimited.ts';

/** A page of clients by id; `next` is where the page after it starts. @throws ForbiddenError */
export async function listClients(
  context: Context,
  caller: Caller,
  request: { limit: number; after?: string | undefined },
): Promise<{ clients: Client[]; next?: string }> {
  requireUnlimited(caller);
  const { limit, after } = request;
  const found = await context.store.clients.list({ limit: limit + 1, ...(after !== undefined && { after }) });
  const clients = found.slice(0, limit);
  const last = clients.at(-1);
  return { clients, ...(found.length > limit && last !== undefined && { next: last.clientId }) };
}

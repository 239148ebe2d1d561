import { randomBytes } from 'node:crypto';
import { type Caller, type Client, generateSecret, hashSecret, type Role } from '../client.ts';
import type { Context } from '../context.ts';
import { requireUnlimited } from './require-unlimited.ts';

export interface CreateClientRequest {
  readonly role: Role;
  readonly pools?: readonly string[] | undefined;
  readonly description?: string | undefined;
}

/** A client with a new credential, not yet stored. */
export function generateClient(
  request: CreateClientRequest,
  now: number,
): { client: Client; credential: string } {
  const secret = generateSecret();
  const client: Client = {
    clientId: `client_${randomBytes(9).toString('base64url')}`,
    role: request.role,
    ...(request.pools !== undefined && { pools: request.pools }),
    ...(request.description !== undefined && { description: request.description }),
    secretHash: hashSecret(secret),
    createdAt: now,
  };
  return { client, credential: `${client.clientId}.${secret}` };
}

/** Adds a client; the secret is in this answer alone, the database keeps its hash. @throws ForbiddenError */
export async function createClient(
  context: Context,
  caller: Caller,
  request: CreateClientRequest,
): Promise<{ client: Client; credential: string }> {
  requireUnlimited(caller);
  const created = generateClient(request, context.clock());
  await context.store.clients.put(created.client);
  return created;
}

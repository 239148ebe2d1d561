import { randomBytes } from 'node:crypto';
import type { Client as ClientBody, CreatedClient } from '../contract/clients.ts';
import {
  type Caller,
  type Client,
  generateSecret,
  hashSecret,
  parseCredential,
  type Role,
  secretMatches,
} from './client.ts';
import { type Context, pageOf } from './context.ts';
import { describeClient } from './describe.ts';
import { ClientNotFoundError, ForbiddenError, LastAdminError, OwnCredentialError } from './errors.ts';
import type { ClientStore } from './store.ts';

export interface CreateClientRequest {
  readonly role: Role;
  readonly pools?: readonly string[] | undefined;
  readonly description?: string | undefined;
}

/** Who the credential (`<clientId>.<secret>`) names; undefined when it is unknown, revoked or wrong. */
export async function authenticate(clients: ClientStore, credential: string): Promise<Caller | undefined> {
  const parsed = parseCredential(credential);
  if (parsed === undefined) return undefined;
  const client = await clients.get(parsed.clientId);
  if (client === null || !secretMatches(parsed.secret, client.secretHash)) return undefined;
  const { clientId, role, pools } = client;
  return { clientId, role, pools };
}

/** A client with a new credential, not yet stored. */
export function generateClient(
  request: CreateClientRequest,
  now: number,
): { client: Client; credential: string } {
  const secret = generateSecret();
  const client: Client = {
    ...request,
    clientId: `client_${randomBytes(9).toString('base64url')}`,
    secretHash: hashSecret(secret),
    createdAt: now,
  };
  return { client, credential: `${client.clientId}.${secret}` };
}

/** Adds a client; the secret is in this result alone, the database keeps its hash. @throws ForbiddenError */
export async function createClient(
  context: Context,
  caller: Caller,
  request: CreateClientRequest,
): Promise<CreatedClient> {
  requireUnlimited(caller);
  const { client, credential } = generateClient(request, context.clock());
  await context.store.clients.put(client);
  return { ...describeClient(client), credential };
}

/** A page of clients by id; `next` is where the page after it starts. @throws ForbiddenError */
export async function listClients(
  context: Context,
  caller: Caller,
  { limit, after }: { limit: number; after?: string | undefined },
): Promise<{ clients: ClientBody[]; next?: string | undefined }> {
  requireUnlimited(caller);
  const { page, last } = pageOf(await context.store.clients.list({ limit: limit + 1, after }), limit);
  return { clients: page.map(describeClient), next: last?.clientId };
}

/**
 * Revokes a client's credential. Its live leases go on until they lapse, since nobody can keep them alive.
 * @param options.force also the credential of this very call
 * @throws ClientNotFoundError, OwnCredentialError, LastAdminError, ForbiddenError
 */
export async function deleteClient(
  context: Context,
  caller: Caller,
  clientId: string,
  options: { force: boolean },
): Promise<void> {
  requireUnlimited(caller);
  if (clientId === caller.clientId && !options.force) throw new OwnCredentialError();
  switch (await context.store.clients.remove(clientId, context.clock())) {
    case 'removed':
      return;
    case 'not_found':
      throw new ClientNotFoundError();
    case 'last_admin':
      throw new LastAdminError();
  }
}

/** A credential that is limited to some pools could otherwise make itself one that is not. @throws ForbiddenError */
function requireUnlimited(caller: Caller): void {
  if (caller.pools !== undefined) {
    throw new ForbiddenError('A credential that is limited to some pools cannot manage clients');
  }
}

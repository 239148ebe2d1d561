import { randomBytes } from 'node:crypto';
import type { Client as ClientBody, CreatedClient } from '../contract/clients.ts';
import {
  type Caller,
  type Client,
  type Credential,
  generateSecret,
  hashSecret,
  parseCredential,
  type Role,
  type SecretFields,
  secretIsGood,
} from './client.ts';
import { type Context, pageOf } from './context.ts';
import { describeClient } from './describe.ts';
import { ClientNotFoundError, ForbiddenError, LastAdminError, OwnCredentialError } from './errors.ts';
import { makeEvent } from './events.ts';
import type { ClientStore } from './store.ts';

export interface CreateClientRequest {
  readonly role: Role;
  readonly pools?: readonly string[] | undefined;
  readonly description?: string | undefined;
  readonly expiresInSeconds?: number | undefined;
}

export interface RotateClientRequest {
  /** How long the secret that was the newest so far stays good. */
  readonly keepOldSeconds: number;
  /** Null: the new secret never expires; absent: as long as the one before was made for. */
  readonly expiresInSeconds?: number | null | undefined;
}

const HOUR_MS = 3_600_000;

/** Whom the credential (`<clientId>.<secret>`) names; undefined when it is unknown, revoked, expired or wrong. */
export async function authenticate(
  clients: ClientStore,
  credential: string,
  now: number,
): Promise<Client | undefined> {
  const parsed = parseCredential(credential);
  if (parsed === undefined) return undefined;
  const client = await clients.get(parsed.clientId);
  return client !== null && secretIsGood(parsed.secret, client, now) ? client : undefined;
}

/** What of a client the functions are told. */
export function toCaller({ clientId, role, pools }: Client): Caller {
  return { clientId, role, pools };
}

/** Notes when clients were last used, to the hour: at most one write per client, hour and process. */
export class ClientUses {
  readonly #noted = new Set<string>();
  #hour = 0;

  /** Whether the write succeeds matters to nobody. */
  async note(clients: ClientStore, { clientId, lastUsedAt = 0 }: Client, now: number): Promise<void> {
    const hour = now - (now % HOUR_MS);
    if (hour !== this.#hour) this.#noted.clear();
    this.#hour = hour;
    if (lastUsedAt >= hour || this.#noted.has(clientId)) return;
    this.#noted.add(clientId);
    await clients.noteUse(clientId, hour).catch(() => undefined);
  }
}

/** A client with a new credential, not yet stored. */
export function generateClient(
  { expiresInSeconds, ...request }: CreateClientRequest,
  now: number,
): { client: Client; credential: string } {
  const secret = generateSecret();
  const client: Client = {
    ...request,
    expiresAt: expiresInSeconds === undefined ? undefined : now + expiresInSeconds * 1000,
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
  const now = context.clock();
  const { client, credential } = generateClient(request, now);
  await context.store.clients.put(client);
  await recordEvent(context, caller, 'client.created', client.clientId, now);
  return { ...describeClient(client, now), credential };
}

/**
 * Gives a client a new secret, which is in this result alone. Its newest secret so far stays good for the time that is
 * asked for, an older one ends: there are never more than two.
 * @throws ClientNotFoundError, LastAdminError where nobody would be left who can manage clients for good, ForbiddenError
 */
export async function rotateClient(
  context: Context,
  caller: Caller,
  clientId: string,
  request: RotateClientRequest,
): Promise<CreatedClient> {
  requireUnlimited(caller);
  const now = context.clock();
  const secret = generateSecret();
  const client = await rotateTo(context.store.clients, { clientId, secret }, request, now);
  await recordEvent(context, caller, 'client.secret_added', clientId, now);
  return { ...describeClient(client, now), credential: `${clientId}.${secret}` };
}

/**
 * Makes this secret the client's newest. Where somebody else rotates at once, one comes after the other.
 * @throws ClientNotFoundError, LastAdminError
 */
export async function rotateTo(
  clients: ClientStore,
  { clientId, secret }: Credential,
  request: RotateClientRequest,
  now: number,
): Promise<Client> {
  for (;;) {
    const found = await clients.get(clientId);
    if (found === null) throw new ClientNotFoundError();
    const secrets = nextSecrets(found, secret, request, now);
    const outcome = await clients.rotate(found, secrets, now);
    if (outcome === 'last_admin') throw new LastAdminError();
    if (outcome === 'rotated') return { ...found, ...secrets };
  }
}

function nextSecrets(
  found: Client,
  secret: string,
  { keepOldSeconds, expiresInSeconds }: RotateClientRequest,
  now: number,
): SecretFields {
  const { secretHash: hash, createdAt, rotatedAt = createdAt, expiresAt = Infinity } = found;
  const lifeMs =
    expiresInSeconds === undefined ? expiresAt - rotatedAt : (expiresInSeconds ?? Infinity) * 1000;
  const oldExpiresAt = Math.min(expiresAt, now + keepOldSeconds * 1000);
  return {
    secretHash: hashSecret(secret),
    expiresAt: lifeMs === Infinity ? undefined : now + lifeMs,
    oldSecret: oldExpiresAt > now ? { hash, expiresAt: oldExpiresAt } : undefined,
    rotatedAt: now,
  };
}

/** A page of clients by id; `next` is where the page after it starts. @throws ForbiddenError */
export async function listClients(
  context: Context,
  caller: Caller,
  { limit, after }: { limit: number; after?: string | undefined },
): Promise<{ clients: ClientBody[]; next?: string | undefined }> {
  requireUnlimited(caller);
  const now = context.clock();
  const { page, last } = pageOf(await context.store.clients.list({ limit: limit + 1, after }), limit);
  return { clients: page.map((client) => describeClient(client, now)), next: last?.clientId };
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
  const now = context.clock();
  switch (await context.store.clients.remove(clientId, now)) {
    case 'removed':
      return recordEvent(context, caller, 'client.revoked', clientId, now);
    case 'not_found':
      throw new ClientNotFoundError();
    case 'last_admin':
      throw new LastAdminError();
  }
}

async function recordEvent(
  { events }: Context,
  { clientId: by }: Caller,
  type: 'client.created' | 'client.revoked' | 'client.secret_added',
  clientId: string,
  now: number,
): Promise<void> {
  await events.record([makeEvent({ type, at: now, clientId, by })], now);
}

/** A credential that is limited to some pools could otherwise make itself one that is not. @throws ForbiddenError */
function requireUnlimited(caller: Caller): void {
  if (caller.pools !== undefined) {
    throw new ForbiddenError('A credential that is limited to some pools cannot manage clients');
  }
}

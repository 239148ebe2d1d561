import { type Caller, parseCredential, secretMatches } from '../client.ts';
import type { ClientStore } from '../store.ts';

/** Who the credential (`<clientId>.<secret>`) names; undefined when it is unknown, revoked or wrong. */
export async function authenticate(clients: ClientStore, credential: string): Promise<Caller | undefined> {
  const parsed = parseCredential(credential);
  if (parsed === undefined) return undefined;
  const client = await clients.find(parsed.clientId);
  if (client === null || !secretMatches(parsed.secret, client.secretHash)) return undefined;
  const { clientId, role, pools } = client;
  return { clientId, role, ...(pools !== undefined && { pools }) };
}

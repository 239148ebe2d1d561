import type { Caller } from '../client.ts';
import type { Context } from '../context.ts';
import { ClientNotFoundError } from '../errors.ts';
import { requireUnlimited } from './require-unlimited.ts';

/**
 * Revokes a client's credential. Its live leases go on until they lapse, since nobody can keep them alive.
 * @throws ClientNotFoundError, ForbiddenError
 */
export async function deleteClient(context: Context, caller: Caller, clientId: string): Promise<void> {
  requireUnlimited(caller);
  if (!(await context.store.clients.remove(clientId))) throw new ClientNotFoundError();
}

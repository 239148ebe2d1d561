import type { Client } from '../../../domain/client.ts';
import type { ClientCollection } from '../collections.ts';
import { isDuplicateKeyError } from '../driver-errors.ts';
import { toClient, toClientDocument } from './client-document.ts';

/**
 * Race: two writers of one id that is not there yet; the one that is refused replaces what the other inserted.
 * Index: the primary key.
 */
export async function putClient(clients: ClientCollection, client: Client): Promise<void> {
  const { _id, ...fields } = toClientDocument(client);
  for (;;) {
    try {
      await clients.replaceOne({ _id }, fields, { upsert: true });
      return;
    } catch (error) {
      if (!isDuplicateKeyError(error)) throw error;
    }
  }
}

/** Index: the primary key. */
export async function findClient(clients: ClientCollection, clientId: string): Promise<Client | null> {
  const found = await clients.findOne({ _id: clientId });
  return found === null ? null : toClient(found);
}

/** Index: the primary key. */
export async function listClients(
  clients: ClientCollection,
  page: { limit: number; after?: string },
): Promise<Client[]> {
  const found = await clients
    .find(page.after === undefined ? {} : { _id: { $gt: page.after } }, {
      sort: { _id: 1 },
      limit: page.limit,
    })
    .toArray();
  return found.map(toClient);
}

/** Index: the primary key. */
export async function removeClient(clients: ClientCollection, clientId: string): Promise<boolean> {
  const { deletedCount } = await clients.deleteOne({ _id: clientId });
  return deletedCount === 1;
}

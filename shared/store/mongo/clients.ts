import type { Filter } from 'mongodb';
import type { Client } from '../../domain/client.ts';
import type { Commands } from './commands.ts';

export const clients = { put, get, list, remove };

interface ClientDocument extends Omit<Client, 'clientId' | 'createdAt'> {
  readonly _id: string;
  readonly createdAt: Date;
  /** Somebody is about to remove this admin, since then. */
  readonly removingAt?: Date;
}

export type ClientCommands = Commands<ClientDocument>;

/** How long such a mark counts, in milliseconds: the process that made it may have died. */
const MARK_MS = 60_000;

const UNLIMITED_ADMIN = { role: 'admin', pools: { $exists: false } } as const;

function toClient(document: ClientDocument): Client {
  const { _id, role, pools, description, secretHash, createdAt } = document;
  return { clientId: _id, role, pools, description, secretHash, createdAt: createdAt.getTime() };
}

// Each command is on the client's primary key, unless another index is named.

async function put(clients: ClientCommands, client: Client): Promise<void> {
  const { clientId, createdAt, ...fields } = client;
  await clients.put(clientId, { ...fields, createdAt: new Date(createdAt) });
}

async function get(clients: ClientCommands, clientId: string): Promise<Client | null> {
  const found = await clients.findOne({ _id: clientId });
  return found && toClient(found);
}

async function list(
  clients: ClientCommands,
  page: { limit: number; after?: string | undefined },
): Promise<Client[]> {
  const { limit, after } = page;
  const found = await clients.find(after === undefined ? {} : { _id: { $gt: after } }, {
    sort: { _id: 1 },
    limit,
  });
  return found.map(toClient);
}

/**
 * Race: two admins remove each other at once. Each sees that the other is there, and nobody would be left. So an
 * unlimited admin is first marked as about to be removed, and then removed only if there is one without a mark.
 * Of two removals at once the later mark comes after the earlier one, and so before the look of its own removal: one of
 * the two finds the other's mark, or both do.
 *
 * The look is a write. It takes back a mark that is older than `MARK_MS`, whose process has probably died; should it
 * only have been slow, then its removal, on condition of the mark, finds nothing. And it waits for a majority, so that
 * no primary that has been replaced meanwhile, and does not know yet, tells of an admin that is gone.
 *
 * Index: the primary key; the look reads clients until it finds an admin, of whom there are few.
 */
async function remove(
  clients: ClientCommands,
  clientId: string,
  now: number,
): Promise<'removed' | 'not_found' | 'last_admin'> {
  const isUnlimited = { _id: clientId, ...UNLIMITED_ADMIN };
  if (await clients.deleteOne({ _id: clientId, $nor: [UNLIMITED_ADMIN] })) return 'removed';
  for (;;) {
    // `$max`: of two who remove the same admin, each goes by the later mark, or they would undo each other's for ever.
    const marked = await clients.findOneAndUpdate(isUnlimited, { $max: { removingAt: new Date(now) } });
    if (marked?.removingAt === undefined) return 'not_found';
    const asMarked = { _id: clientId, removingAt: marked.removingAt };
    const unmarked: Filter<ClientDocument> = {
      $or: [{ removingAt: { $exists: false } }, { removingAt: { $lte: new Date(now - MARK_MS) } }],
    };
    const other = await clients.findOneAndUpdate(
      { ...UNLIMITED_ADMIN, ...unmarked },
      { $unset: { removingAt: '' } },
    );
    if (other === null) {
      await clients.updateOne(asMarked, { $unset: { removingAt: '' } });
      return 'last_admin';
    }
    if (await clients.deleteOne(asMarked)) return 'removed';
  }
}

import type { Filter } from 'mongodb';
import type { Client, SecretFields } from '../../domain/client.ts';
import type { Commands } from './commands.ts';

export const clients = { put, get, list, rotate, noteUse, remove };

interface ClientDocument extends Pick<Client, 'role' | 'pools' | 'description' | 'secretHash'> {
  readonly _id: string;
  readonly expiresAt?: Date | undefined;
  readonly oldSecret?: { readonly hash: string; readonly expiresAt: Date } | undefined;
  readonly createdAt: Date;
  readonly rotatedAt?: Date | undefined;
  readonly lastUsedAt?: Date | undefined;
  /** Somebody is about to remove this admin or to make it expire, since then. */
  readonly removingAt?: Date;
}

export type ClientCommands = Commands<ClientDocument>;

/** How long such a mark counts, in milliseconds: the process that made it may have died. */
const MARK_MS = 60_000;

const LASTING_ADMIN = { role: 'admin', pools: { $exists: false }, expiresAt: { $exists: false } } as const;

function toClient(document: ClientDocument): Client {
  const { _id, role, pools, description, secretHash, oldSecret } = document;
  return {
    clientId: _id,
    role,
    pools,
    description,
    secretHash,
    expiresAt: document.expiresAt?.getTime(),
    oldSecret: oldSecret && { hash: oldSecret.hash, expiresAt: oldSecret.expiresAt.getTime() },
    createdAt: document.createdAt.getTime(),
    rotatedAt: document.rotatedAt?.getTime(),
    lastUsedAt: document.lastUsedAt?.getTime(),
  };
}

/** The fields that a rotation replaces; the driver leaves out what is undefined. */
function toSecretFields({ secretHash, expiresAt, oldSecret, rotatedAt }: SecretFields) {
  return {
    secretHash,
    expiresAt: toDate(expiresAt),
    oldSecret: oldSecret && { hash: oldSecret.hash, expiresAt: new Date(oldSecret.expiresAt) },
    rotatedAt: toDate(rotatedAt),
  };
}

function toDate(ms: number | undefined): Date | undefined {
  return ms === undefined ? undefined : new Date(ms);
}

// Each command is on the client's primary key, unless another index is named.

async function put(clients: ClientCommands, client: Client): Promise<void> {
  const { clientId, role, pools, description, createdAt, lastUsedAt } = client;
  await clients.put(clientId, {
    role,
    pools,
    description,
    ...toSecretFields(client),
    createdAt: new Date(createdAt),
    lastUsedAt: toDate(lastUsedAt),
  });
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

/** Race: two rotations at once; the newest secret that each found is the condition, so that neither undoes the other. */
async function rotate(
  clients: ClientCommands,
  found: Pick<Client, 'clientId' | 'secretHash'>,
  secrets: SecretFields,
  now: number,
): Promise<'rotated' | 'changed' | 'last_admin'> {
  const { expiresAt, oldSecret } = secrets;
  const asFound = { _id: found.clientId, secretHash: found.secretHash };
  const write = (condition: Filter<ClientDocument>, unset: { removingAt?: '' }) =>
    clients.updateOne(condition, {
      $set: toSecretFields(secrets),
      $unset: {
        ...(expiresAt === undefined && { expiresAt: '' }),
        ...(oldSecret === undefined && { oldSecret: '' }),
        ...unset,
      },
    });
  if (expiresAt === undefined) return (await write(asFound, {})) ? 'rotated' : 'changed';
  const outcome = await withAdminLeft(clients, asFound, now, (condition) =>
    write(condition, { removingAt: '' }),
  );
  return outcome === 'done' ? 'rotated' : outcome === 'not_found' ? 'changed' : outcome;
}

/** Race: an older hour that is written late; `$max` keeps the later one. */
async function noteUse(clients: ClientCommands, clientId: string, lastUsedAt: number): Promise<void> {
  await clients.updateOne({ _id: clientId }, { $max: { lastUsedAt: new Date(lastUsedAt) } });
}

async function remove(
  clients: ClientCommands,
  clientId: string,
  now: number,
): Promise<'removed' | 'not_found' | 'last_admin'> {
  const outcome = await withAdminLeft(clients, { _id: clientId }, now, (condition) =>
    clients.deleteOne(condition),
  );
  return outcome === 'done' ? 'removed' : outcome;
}

/**
 * Carries out what leaves one lasting admin fewer, where another is left. Who is no lasting admin needs no look.
 *
 * Race: two admins remove each other at once. Each sees that the other is there, and nobody would be left. So a lasting
 * admin is first marked as about to go, and then goes only if there is one without a mark.
 * Of two at once the later mark comes after the earlier one, and so before the look of its own removal: one of the two
 * finds the other's mark, or both do.
 *
 * The look is a write. It takes back a mark that is older than `MARK_MS`, whose process has probably died; should it
 * only have been slow, then what it does, on condition of the mark, finds nothing. And it waits for a majority, so that
 * no primary that has been replaced meanwhile, and does not know yet, tells of an admin that is gone.
 *
 * Index: the primary key; the look reads clients until it finds an admin, of whom there are few.
 */
async function withAdminLeft(
  clients: ClientCommands,
  which: { readonly _id: string; readonly secretHash?: string },
  now: number,
  carryOut: (condition: Filter<ClientDocument>) => Promise<boolean>,
): Promise<'done' | 'not_found' | 'last_admin'> {
  for (;;) {
    if (await carryOut({ ...which, $nor: [LASTING_ADMIN] })) return 'done';
    // `$max`: of two who remove the same admin, each goes by the later mark, or they would undo each other's for ever.
    const marked = await clients.findOneAndUpdate(
      { ...which, ...LASTING_ADMIN },
      { $max: { removingAt: new Date(now) } },
    );
    if (marked?.removingAt === undefined) {
      if ((await clients.findOne(which)) === null) return 'not_found';
      continue; // It has just been made to expire.
    }
    const asMarked = { ...which, removingAt: marked.removingAt };
    const unmarked: Filter<ClientDocument> = {
      $or: [{ removingAt: { $exists: false } }, { removingAt: { $lte: new Date(now - MARK_MS) } }],
    };
    const other = await clients.findOneAndUpdate(
      { ...LASTING_ADMIN, ...unmarked },
      { $unset: { removingAt: '' } },
    );
    if (other === null) {
      await clients.updateOne(asMarked, { $unset: { removingAt: '' } });
      return 'last_admin';
    }
    if (await carryOut(asMarked)) return 'done';
  }
}

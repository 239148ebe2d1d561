import type { Client, Role, SecretFields } from '../../domain/client.ts';
import type { ClientStore } from '../../domain/store.ts';
import type { SqliteConnection } from './connection.ts';

interface ClientRow {
  readonly client_id: string;
  readonly role: Role;
  /** JSON. */
  readonly pools: string | null;
  readonly description: string | null;
  readonly secret_hash: string;
  readonly expires_at: number | null;
  readonly old_secret_hash: string | null;
  readonly old_secret_expires_at: number | null;
  readonly created_at: number;
  readonly rotated_at: number | null;
  readonly last_used_at: number | null;
}

const PUT = `
  INSERT OR REPLACE INTO clients (
    client_id, role, pools, description, created_at, last_used_at,
    secret_hash, expires_at, old_secret_hash, old_secret_expires_at, rotated_at
  ) VALUES (
    :clientId, :role, :pools, :description, :createdAt, :lastUsedAt,
    :secretHash, :expiresAt, :oldHash, :oldExpiresAt, :rotatedAt
  )`;

const GET = 'SELECT * FROM clients WHERE client_id = :clientId';

const LIST = 'SELECT * FROM clients WHERE client_id > :after ORDER BY client_id LIMIT :limit';

/**
 * Whether a lasting admin is left without this client, or it is none itself. Race closed: two admins remove each other.
 * This look and what it is the condition of are one statement.
 */
const ADMIN_LEFT = `(
  role <> 'admin' OR pools IS NOT NULL OR expires_at IS NOT NULL OR EXISTS (
    SELECT 1 FROM clients INDEXED BY lasting_admins
    WHERE role = 'admin' AND pools IS NULL AND expires_at IS NULL AND client_id <> :clientId
  )
)`;

/** Race closed: two rotations at once; the newest secret that each found is the condition. */
const ROTATE = `
  UPDATE clients SET
    secret_hash = :secretHash, expires_at = :expiresAt, old_secret_hash = :oldHash,
    old_secret_expires_at = :oldExpiresAt, rotated_at = :rotatedAt
  WHERE client_id = :clientId AND secret_hash = :foundHash AND (:expiresAt IS NULL OR ${ADMIN_LEFT})`;

const IS_AS_FOUND = 'SELECT 1 FROM clients WHERE client_id = :clientId AND secret_hash = :foundHash';

const NOTE_USE = `
  UPDATE clients SET last_used_at = :lastUsedAt
  WHERE client_id = :clientId AND coalesce(last_used_at, 0) < :lastUsedAt`;

const REMOVE = `DELETE FROM clients WHERE client_id = :clientId AND ${ADMIN_LEFT}`;

export function clients(connection: SqliteConnection): ClientStore {
  return {
    async put(client) {
      const { clientId, role, pools, description, createdAt, lastUsedAt } = client;
      connection.run(PUT, {
        clientId,
        role,
        pools: pools === undefined ? null : JSON.stringify(pools),
        description: description ?? null,
        createdAt,
        lastUsedAt: lastUsedAt ?? null,
        ...toSecretColumns(client),
      });
    },
    async get(clientId) {
      const row = connection.row<ClientRow>(GET, { clientId });
      return row === undefined ? null : toClient(row);
    },
    async list({ limit, after = '' }) {
      return connection.all<ClientRow>(LIST, { limit, after }).map(toClient);
    },
    async rotate({ clientId, secretHash: foundHash }, secrets) {
      return connection.immediately(() => {
        const asFound = { clientId, foundHash };
        if (connection.run(ROTATE, { ...asFound, ...toSecretColumns(secrets) }) > 0) return 'rotated';
        return connection.row(IS_AS_FOUND, asFound) === undefined ? 'changed' : 'last_admin';
      });
    },
    async noteUse(clientId, lastUsedAt) {
      connection.run(NOTE_USE, { clientId, lastUsedAt });
    },
    async remove(clientId) {
      return connection.immediately(() => {
        if (connection.run(REMOVE, { clientId }) > 0) return 'removed';
        return connection.row(GET, { clientId }) === undefined ? 'not_found' : 'last_admin';
      });
    },
  };
}

/** What a rotation writes. */
function toSecretColumns({ secretHash, expiresAt, oldSecret, rotatedAt }: SecretFields) {
  return {
    secretHash,
    expiresAt: expiresAt ?? null,
    oldHash: oldSecret?.hash ?? null,
    oldExpiresAt: oldSecret?.expiresAt ?? null,
    rotatedAt: rotatedAt ?? null,
  };
}

function toClient(row: ClientRow): Client {
  const { old_secret_hash: hash, old_secret_expires_at: oldExpiresAt } = row;
  return {
    clientId: row.client_id,
    role: row.role,
    pools: row.pools === null ? undefined : (JSON.parse(row.pools) as string[]),
    description: row.description ?? undefined,
    secretHash: row.secret_hash,
    expiresAt: row.expires_at ?? undefined,
    oldSecret: hash === null || oldExpiresAt === null ? undefined : { hash, expiresAt: oldExpiresAt },
    createdAt: row.created_at,
    rotatedAt: row.rotated_at ?? undefined,
    lastUsedAt: row.last_used_at ?? undefined,
  };
}

import type { Client, Role } from '../../domain/client.ts';
import type { ClientStore } from '../../domain/store.ts';
import type { SqliteConnection } from './connection.ts';

interface ClientRow {
  readonly client_id: string;
  readonly role: Role;
  /** JSON. */
  readonly pools: string | null;
  readonly description: string | null;
  readonly secret_hash: string;
  readonly created_at: number;
}

const PUT = `
  INSERT OR REPLACE INTO clients (client_id, role, pools, description, secret_hash, created_at)
  VALUES (:clientId, :role, :pools, :description, :secretHash, :createdAt)`;

const GET = 'SELECT * FROM clients WHERE client_id = :clientId';

const LIST = 'SELECT * FROM clients WHERE client_id > :after ORDER BY client_id LIMIT :limit';

/** Race closed: two admins remove each other. The look for another one and the removal are one statement. */
const REMOVE = `
  DELETE FROM clients WHERE client_id = :clientId AND (
    role <> 'admin' OR pools IS NOT NULL OR EXISTS (
      SELECT 1 FROM clients INDEXED BY unlimited_admins
      WHERE role = 'admin' AND pools IS NULL AND client_id <> :clientId
    )
  )`;

export function clients(connection: SqliteConnection): ClientStore {
  return {
    async put({ clientId, role, pools, description = null, secretHash, createdAt }) {
      const list = pools === undefined ? null : JSON.stringify(pools);
      connection.run(PUT, { clientId, role, pools: list, description, secretHash, createdAt });
    },
    async get(clientId) {
      const row = connection.row<ClientRow>(GET, { clientId });
      return row === undefined ? null : toClient(row);
    },
    async list({ limit, after = '' }) {
      return connection.all<ClientRow>(LIST, { limit, after }).map(toClient);
    },
    async remove(clientId) {
      return connection.immediately(() => {
        if (connection.run(REMOVE, { clientId }) > 0) return 'removed';
        return connection.row(GET, { clientId }) === undefined ? 'not_found' : 'last_admin';
      });
    },
  };
}

function toClient(row: ClientRow): Client {
  return {
    clientId: row.client_id,
    role: row.role,
    pools: row.pools === null ? undefined : (JSON.parse(row.pools) as string[]),
    description: row.description ?? undefined,
    secretHash: row.secret_hash,
    createdAt: row.created_at,
  };
}

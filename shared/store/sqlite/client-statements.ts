import type { Client, Role } from '../../domain/client.ts';
import type { ClientStore } from '../../domain/store.ts';
import type { SqliteConnection } from './sqlite-connection.ts';

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

const FIND = 'SELECT * FROM clients WHERE client_id = :clientId';

const LIST = 'SELECT * FROM clients WHERE client_id > :after ORDER BY client_id LIMIT :limit';

const REMOVE = 'DELETE FROM clients WHERE client_id = :clientId';

export function clientStatements(connection: SqliteConnection): ClientStore {
  return {
    async put(client) {
      const { clientId, role, pools, description = null, secretHash, createdAt } = client;
      connection.run(PUT, {
        clientId,
        role,
        pools: pools === undefined ? null : JSON.stringify(pools),
        description,
        secretHash,
        createdAt,
      });
    },
    async find(clientId) {
      const [row] = connection.all<ClientRow>(FIND, { clientId });
      return row === undefined ? null : toClient(row);
    },
    async list({ limit, after = '' }) {
      return connection.all<ClientRow>(LIST, { limit, after }).map(toClient);
    },
    async remove(clientId) {
      return connection.run(REMOVE, { clientId }) > 0;
    },
  };
}

function toClient(row: ClientRow): Client {
  return {
    clientId: row.client_id,
    role: row.role,
    ...(row.pools !== null && { pools: JSON.parse(row.pools) as string[] }),
    ...(row.description !== null && { description: row.description }),
    secretHash: row.secret_hash,
    createdAt: row.created_at,
  };
}

import type { Collection, MongoClient } from 'mongodb';
import type { ClientDocument } from './clients/client-document.ts';
import type { KeyDocument } from './keys/key-document.ts';
import type { PoolDocument } from './pools/pool-document.ts';

export type KeyCollection = Collection<KeyDocument>;
export type PoolCollection = Collection<PoolDocument>;
export type ClientCollection = Collection<ClientDocument>;

export interface Collections {
  readonly keys: KeyCollection;
  readonly pools: PoolCollection;
  readonly clients: ClientCollection;
}

export function openCollections(client: MongoClient, database: string): Collections {
  const db = client.db(database);
  return { keys: db.collection('keys'), pools: db.collection('pools'), clients: db.collection('clients') };
}

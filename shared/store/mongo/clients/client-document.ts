import type { Client } from '../../../domain/client.ts';

export interface ClientDocument extends Omit<Client, 'clientId' | 'createdAt'> {
  readonly _id: string;
  readonly createdAt: Date;
}

export function toClientDocument(client: Client): ClientDocument {
  const { clientId, role, pools, description, secretHash, createdAt } = client;
  return {
    _id: clientId,
    role,
    ...(pools !== undefined && { pools: [...pools] }),
    ...(description !== undefined && { description }),
    secretHash,
    createdAt: new Date(createdAt),
  };
}

export function toClient(document: ClientDocument): Client {
  const { _id, createdAt, ...rest } = document;
  return { clientId: _id, ...rest, createdAt: createdAt.getTime() };
}

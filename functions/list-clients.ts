import { listClientsResponseSchema } from '../shared/contract/clients.ts';
import { pageQuerySchema } from '../shared/contract/primitives.ts';
import { listClients } from '../shared/domain/clients.ts';
import { createHandler } from '../shared/http/create-handler.ts';
import { decodeCursor, encodeCursor } from '../shared/http/cursor.ts';
import { defineEndpoint } from '../shared/http/endpoint.ts';
import { lambdaRuntime } from '../shared/runtime/runtime.ts';
import { routes } from './routes.ts';

/** `GET /v1/clients`: a page of the clients, never a secret. */
export const endpoint = defineEndpoint({
  route: routes.listClients,
  request: { query: pageQuerySchema },
  responses: { 200: listClientsResponseSchema },
  run: async ({ query }, { context, caller }) => {
    const after = decodeCursor(query.cursor, 'string');
    const { clients, next } = await listClients(context, caller, { limit: query.limit, after });
    return { status: 200, body: { clients, nextCursor: encodeCursor(next) } };
  },
});

export const handler = createHandler(endpoint, lambdaRuntime);

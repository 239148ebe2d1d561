import { listHoldersQuerySchema, listHoldersResponseSchema } from '../shared/contract/leases.ts';
import { listHolders } from '../shared/domain/holders.ts';
import { createHandler } from '../shared/http/create-handler.ts';
import { decodeCursor, encodeCursor } from '../shared/http/cursor.ts';
import { defineEndpoint } from '../shared/http/endpoint.ts';
import { lambdaRuntime } from '../shared/runtime/runtime.ts';
import { routes } from './routes.ts';

/** `GET /v1/holders`: a page of the live leases that the caller may see, oldest first, never a lease id. */
export const endpoint = defineEndpoint({
  route: routes.listHolders,
  request: { query: listHoldersQuerySchema },
  responses: { 200: listHoldersResponseSchema },
  run: async ({ query: { cursor, ...query } }, { context, caller }) => {
    const after = decodeCursor(cursor, 'string');
    const { holders, next } = await listHolders(context, caller, { ...query, after });
    return { status: 200, body: { holders, nextCursor: encodeCursor(next) } };
  },
});

export const handler = createHandler(endpoint, lambdaRuntime);

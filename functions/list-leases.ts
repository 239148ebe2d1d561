import { listLeasesResponseSchema } from '../shared/contract/leases.ts';
import { pageQuerySchema } from '../shared/contract/primitives.ts';
import { listLeases } from '../shared/domain/leases.ts';
import { createHandler } from '../shared/http/create-handler.ts';
import { decodeCursor, encodeCursor } from '../shared/http/cursor.ts';
import { defineEndpoint } from '../shared/http/endpoint.ts';
import { lambdaRuntime } from '../shared/runtime/runtime.ts';
import { routes } from './routes.ts';

/** `GET /v1/leases`: a page of the caller's own live leases. */
export const endpoint = defineEndpoint({
  route: routes.listLeases,
  request: { query: pageQuerySchema },
  responses: { 200: listLeasesResponseSchema },
  run: async ({ query }, { context, caller }) => {
    const after = decodeCursor(query.cursor, 'string');
    const { leases, next } = await listLeases(context, caller, { limit: query.limit, after });
    return { status: 200, body: { leases, nextCursor: encodeCursor(next) } };
  },
});

export const handler = createHandler(endpoint, lambdaRuntime);

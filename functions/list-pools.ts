import { listPoolsResponseSchema } from '../shared/contract/pools.ts';
import { pageQuerySchema } from '../shared/contract/primitives.ts';
import { listPools } from '../shared/domain/pools.ts';
import { createHandler } from '../shared/http/create-handler.ts';
import { decodeCursor, encodeCursor } from '../shared/http/cursor.ts';
import { defineEndpoint } from '../shared/http/endpoint.ts';
import { lambdaRuntime } from '../shared/runtime/runtime.ts';
import { routes } from './routes.ts';

/** `GET /v1/pools`: a page of the pools that the caller may see, with their keys counted. */
export const endpoint = defineEndpoint({
  route: routes.listPools,
  request: { query: pageQuerySchema },
  responses: { 200: listPoolsResponseSchema },
  run: async ({ query }, { context, caller }) => {
    const after = decodeCursor(query.cursor, 'string');
    const { pools, next } = await listPools(context, caller, { limit: query.limit, after });
    return { status: 200, body: { pools, nextCursor: encodeCursor(next) } };
  },
});

export const handler = createHandler(endpoint, lambdaRuntime);

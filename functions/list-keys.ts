import { listKeysQuerySchema, listKeysResponseSchema } from '../shared/contract/keys.ts';
import { listKeys } from '../shared/domain/keys.ts';
import { createHandler } from '../shared/http/create-handler.ts';
import { decodeCursor, encodeCursor } from '../shared/http/cursor.ts';
import { defineEndpoint } from '../shared/http/endpoint.ts';
import { lambdaRuntime } from '../shared/runtime/runtime.ts';
import { routes } from './routes.ts';

/** `GET /v1/keys`: a page of a pool's keys in a stable order, never a value. */
export const endpoint = defineEndpoint({
  route: routes.listKeys,
  request: { query: listKeysQuerySchema },
  responses: { 200: listKeysResponseSchema },
  run: async ({ query: { cursor, ...query } }, { context, caller }) => {
    const { keys, next } = await listKeys(context, caller, {
      ...query,
      after: decodeCursor(cursor, 'number'),
    });
    return { status: 200, body: { keys, nextCursor: encodeCursor(next) }, facts: { pool: query.pool } };
  },
});

export const handler = createHandler(endpoint, lambdaRuntime);

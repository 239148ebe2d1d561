import { listUsageQuerySchema, listUsageResponseSchema } from '../shared/contract/usage.ts';
import { listUsage } from '../shared/domain/usage.ts';
import { createHandler } from '../shared/http/create-handler.ts';
import { decodeCursor, encodeCursor } from '../shared/http/cursor.ts';
import { defineEndpoint } from '../shared/http/endpoint.ts';
import { lambdaRuntime } from '../shared/runtime/runtime.ts';
import { routes } from './routes.ts';

/** `GET /v1/usage`: a page of the pools that the caller may see, each with a few points of its usage. */
export const endpoint = defineEndpoint({
  route: routes.listUsage,
  request: { query: listUsageQuerySchema },
  responses: { 200: listUsageResponseSchema },
  run: async ({ query: { hours, limit, cursor } }, { context, caller }) => {
    const after = decodeCursor(cursor, 'string');
    const { usage, next } = await listUsage(context, caller, { hours, limit, after });
    return { status: 200, body: { ...usage, nextCursor: encodeCursor(next) } };
  },
});

export const handler = createHandler(endpoint, lambdaRuntime);

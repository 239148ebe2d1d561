import { poolParametersSchema } from '../shared/contract/pools.ts';
import { pageQuerySchema } from '../shared/contract/primitives.ts';
import { listTicketsResponseSchema } from '../shared/contract/tickets.ts';
import { listTickets } from '../shared/domain/queue.ts';
import { createHandler } from '../shared/http/create-handler.ts';
import { decodeCursor, encodeCursor } from '../shared/http/cursor.ts';
import { defineEndpoint } from '../shared/http/endpoint.ts';
import { lambdaRuntime } from '../shared/runtime/runtime.ts';
import { routes } from './routes.ts';

/** `GET /v1/pools/{pool}/tickets`: who waits for a key of a fair pool, since when and at which place. */
export const endpoint = defineEndpoint({
  route: routes.listTickets,
  request: { parameters: poolParametersSchema, query: pageQuerySchema },
  responses: { 200: listTicketsResponseSchema },
  run: async ({ parameters, query }, { context, caller }) => {
    const after = decodePlace(decodeCursor(query.cursor, 'string'));
    const { tickets, next } = await listTickets(context, caller, parameters.pool, {
      limit: query.limit,
      after,
    });
    return {
      status: 200,
      body: { tickets, nextCursor: encodeCursor(next?.join(' ')) },
      facts: { pool: parameters.pool },
    };
  },
});

function decodePlace(text: string | undefined): readonly [number, number] | undefined {
  const [order = Number.NaN, number = Number.NaN] = text?.split(' ').map(Number) ?? [];
  return Number.isFinite(order) && Number.isFinite(number) ? [order, number] : undefined;
}

export const handler = createHandler(endpoint, lambdaRuntime);

import { listEventsQuerySchema, listEventsResponseSchema } from '../shared/contract/events.ts';
import { listEvents } from '../shared/domain/events.ts';
import { createHandler } from '../shared/http/create-handler.ts';
import { decodeCursor, encodeCursor } from '../shared/http/cursor.ts';
import { defineEndpoint } from '../shared/http/endpoint.ts';
import { lambdaRuntime } from '../shared/runtime/runtime.ts';
import { routes } from './routes.ts';

/** `GET /v1/events`: what happened, in its order, from a place on that a follower keeps. */
export const endpoint = defineEndpoint({
  route: routes.listEvents,
  request: { query: listEventsQuerySchema },
  responses: { 200: listEventsResponseSchema },
  run: async ({ query: { after, ...query } }, { context, caller }) => {
    const place = decodeCursor(after, 'number', 'after');
    const { events, next } = await listEvents(context, caller, { ...query, after: place });
    return { status: 200, body: { events, next: encodeCursor(next) } };
  },
});

export const handler = createHandler(endpoint, lambdaRuntime);

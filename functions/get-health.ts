import { healthSchema } from '../shared/contract/health.ts';
import { createHandler } from '../shared/http/create-handler.ts';
import { defineEndpoint } from '../shared/http/endpoint.ts';
import { lambdaRuntime } from '../shared/runtime/runtime.ts';
import { routes } from './routes.ts';

/** `GET /v1/health`: 200 when the database answers, the problem document of a 503 when it does not. */
export const endpoint = defineEndpoint({
  route: routes.getHealth,
  request: {},
  responses: { 200: healthSchema },
  run: async (_request, { context }) => {
    await context.store.ping();
    return { status: 200, body: { status: 'ok' } };
  },
});

export const handler = createHandler(endpoint, lambdaRuntime);

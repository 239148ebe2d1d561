import { healthSchema } from '../shared/contract/health.ts';
import { getHealth } from '../shared/domain/health.ts';
import { createHandler } from '../shared/http/create-handler.ts';
import { defineEndpoint } from '../shared/http/endpoint.ts';
import { lambdaRuntime } from '../shared/runtime/runtime.ts';
import { routes } from './routes.ts';

/** `GET /v1/health`: 200 when the database answers, even where the sweep is late; the problem document of a 503 otherwise. */
export const endpoint = defineEndpoint({
  route: routes.getHealth,
  request: {},
  responses: { 200: healthSchema },
  run: async (_request, { context }) => ({ status: 200, body: await getHealth(context) }),
});

export const handler = createHandler(endpoint, lambdaRuntime);

import { callerSchema } from '../shared/contract/clients.ts';
import { createHandler } from '../shared/http/create-handler.ts';
import { defineEndpoint } from '../shared/http/endpoint.ts';
import { lambdaRuntime } from '../shared/runtime/runtime.ts';
import { routes } from './routes.ts';

/** `GET /v1/me`: whom the credential of the call names, with its role and pools. */
export const endpoint = defineEndpoint({
  route: routes.getMe,
  request: {},
  responses: { 200: callerSchema },
  run: async (_request, { caller }) => ({ status: 200, body: caller }),
});

export const handler = createHandler(endpoint, lambdaRuntime);

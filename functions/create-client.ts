import { createClientRequestSchema, createdClientSchema } from '../shared/contract/clients.ts';
import { createClient } from '../shared/domain/clients.ts';
import { createHandler } from '../shared/http/create-handler.ts';
import { defineEndpoint } from '../shared/http/endpoint.ts';
import { lambdaRuntime } from '../shared/runtime/runtime.ts';
import { routes } from './routes.ts';

/** `POST /v1/clients`: a new client; its credential is in this response alone. */
export const endpoint = defineEndpoint({
  route: routes.createClient,
  request: { body: createClientRequestSchema },
  responses: { 201: createdClientSchema },
  run: async ({ body }, { context, caller }) => {
    return { status: 201, body: await createClient(context, caller, body) };
  },
});

export const handler = createHandler(endpoint, lambdaRuntime);

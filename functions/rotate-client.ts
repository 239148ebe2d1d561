import {
  clientParametersSchema,
  createdClientSchema,
  rotateClientRequestSchema,
} from '../shared/contract/clients.ts';
import { rotateClient } from '../shared/domain/clients.ts';
import { createHandler } from '../shared/http/create-handler.ts';
import { defineEndpoint } from '../shared/http/endpoint.ts';
import { lambdaRuntime } from '../shared/runtime/runtime.ts';
import { routes } from './routes.ts';

/** `POST /v1/clients/{clientId}/secrets`: a new secret, in this response alone; the old one stays good for a while. */
export const endpoint = defineEndpoint({
  route: routes.rotateClient,
  request: { parameters: clientParametersSchema, body: rotateClientRequestSchema },
  responses: { 201: createdClientSchema },
  run: async ({ parameters, body }, { context, caller }) => {
    return { status: 201, body: await rotateClient(context, caller, parameters.clientId, body) };
  },
});

export const handler = createHandler(endpoint, lambdaRuntime);

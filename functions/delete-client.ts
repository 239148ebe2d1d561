import { clientParametersSchema, deleteClientQuerySchema } from '../shared/contract/clients.ts';
import { deleteClient } from '../shared/domain/clients.ts';
import { createHandler } from '../shared/http/create-handler.ts';
import { defineEndpoint } from '../shared/http/endpoint.ts';
import { lambdaRuntime } from '../shared/runtime/runtime.ts';
import { routes } from './routes.ts';

/** `DELETE /v1/clients/{clientId}`: revokes a credential; gateways that know it forget it within 60 s. */
export const endpoint = defineEndpoint({
  route: routes.deleteClient,
  request: { parameters: clientParametersSchema, query: deleteClientQuerySchema },
  responses: { 204: null },
  run: async ({ parameters, query }, { context, caller }) => {
    await deleteClient(context, caller, parameters.clientId, query);
    return { status: 204 };
  },
});

export const handler = createHandler(endpoint, lambdaRuntime);

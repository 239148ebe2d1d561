import { endingQuerySchema, keyParametersSchema } from '../shared/contract/keys.ts';
import { deleteKey } from '../shared/domain/keys.ts';
import { createHandler } from '../shared/http/create-handler.ts';
import { defineEndpoint } from '../shared/http/endpoint.ts';
import { lambdaRuntime } from '../shared/runtime/runtime.ts';
import { routes } from './routes.ts';

/** `DELETE /v1/keys/{keyId}`: deletes a key for good; its seat stays taken until the holder's own deadline, unless forced. */
export const endpoint = defineEndpoint({
  route: routes.deleteKey,
  request: { parameters: keyParametersSchema, query: endingQuerySchema },
  responses: { 204: null },
  run: async ({ parameters, query }, { context, caller }) => {
    await deleteKey(context, caller, parameters.keyId, query);
    return { status: 204, facts: { keyId: parameters.keyId } };
  },
});

export const handler = createHandler(endpoint, lambdaRuntime);

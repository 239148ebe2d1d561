import { endingQuerySchema, keyParametersSchema, keySchema } from '../shared/contract/keys.ts';
import { unblockKey } from '../shared/domain/keys.ts';
import { createHandler } from '../shared/http/create-handler.ts';
import { defineEndpoint } from '../shared/http/endpoint.ts';
import { lambdaRuntime } from '../shared/runtime/runtime.ts';
import { routes } from './routes.ts';

/** `POST /v1/keys/{keyId}/unblock`: ends somebody's lease; the key cools until the holder's own deadline, unless forced. */
export const endpoint = defineEndpoint({
  route: routes.unblockKey,
  request: { parameters: keyParametersSchema, query: endingQuerySchema },
  responses: { 200: keySchema },
  run: async ({ parameters, query }, { context, caller }) => {
    return { status: 200, body: await unblockKey(context, caller, parameters.keyId, query) };
  },
});

export const handler = createHandler(endpoint, lambdaRuntime);

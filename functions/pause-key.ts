import { keyParametersSchema, keySchema, pauseKeyRequestSchema } from '../shared/contract/keys.ts';
import { pauseKey } from '../shared/domain/keys.ts';
import { createHandler } from '../shared/http/create-handler.ts';
import { defineEndpoint } from '../shared/http/endpoint.ts';
import { lambdaRuntime } from '../shared/runtime/runtime.ts';
import { routes } from './routes.ts';

/** `POST /v1/keys/{keyId}/pause`: takes a key out of service; a lease on it goes on. */
export const endpoint = defineEndpoint({
  route: routes.pauseKey,
  request: { parameters: keyParametersSchema, body: pauseKeyRequestSchema },
  responses: { 200: keySchema },
  run: async ({ parameters, body }, { context, caller }) => {
    return { status: 200, body: await pauseKey(context, caller, parameters.keyId, body) };
  },
});

export const handler = createHandler(endpoint, lambdaRuntime);

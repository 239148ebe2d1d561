import { keyParametersSchema, keySchema, patchKeyRequestSchema } from '../shared/contract/keys.ts';
import { patchKey } from '../shared/domain/keys.ts';
import { createHandler } from '../shared/http/create-handler.ts';
import { defineEndpoint } from '../shared/http/endpoint.ts';
import { lambdaRuntime } from '../shared/runtime/runtime.ts';
import { routes } from './routes.ts';

/** `PATCH /v1/keys/{keyId}`: replaces the key's labels. */
export const endpoint = defineEndpoint({
  route: routes.patchKey,
  request: { parameters: keyParametersSchema, body: patchKeyRequestSchema },
  responses: { 200: keySchema },
  run: async ({ parameters, body }, { context, caller }) => {
    return { status: 200, body: await patchKey(context, caller, parameters.keyId, body) };
  },
});

export const handler = createHandler(endpoint, lambdaRuntime);

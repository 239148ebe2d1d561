import { keyParametersSchema, keySchema } from '../shared/contract/keys.ts';
import { getKey } from '../shared/domain/keys.ts';
import { createHandler } from '../shared/http/create-handler.ts';
import { defineEndpoint } from '../shared/http/endpoint.ts';
import { lambdaRuntime } from '../shared/runtime/runtime.ts';
import { routes } from './routes.ts';

/** `GET`, `HEAD /v1/keys/{keyId}`: one key, never its value; 404 from the moment it is deleted or expired. */
export const endpoint = defineEndpoint({
  route: routes.getKey,
  request: { parameters: keyParametersSchema },
  responses: { 200: keySchema },
  run: async ({ parameters }, { context, caller }) => {
    return { status: 200, body: await getKey(context, caller, parameters.keyId) };
  },
});

export const handler = createHandler(endpoint, lambdaRuntime);

import { keyParametersSchema, keySchema } from '../shared/contract/keys.ts';
import { resumeKey } from '../shared/domain/keys.ts';
import { createHandler } from '../shared/http/create-handler.ts';
import { defineEndpoint } from '../shared/http/endpoint.ts';
import { lambdaRuntime } from '../shared/runtime/runtime.ts';
import { routes } from './routes.ts';

/** `POST /v1/keys/{keyId}/resume`: puts a key back into service. */
export const endpoint = defineEndpoint({
  route: routes.resumeKey,
  request: { parameters: keyParametersSchema },
  responses: { 200: keySchema },
  run: async ({ parameters }, { context, caller }) => {
    return { status: 200, body: await resumeKey(context, caller, parameters.keyId) };
  },
});

export const handler = createHandler(endpoint, lambdaRuntime);

import { createKeysRequestSchema, createKeysResponseSchema } from '../shared/contract/keys.ts';
import { createKeys } from '../shared/domain/keys.ts';
import { createHandler } from '../shared/http/create-handler.ts';
import { defineEndpoint } from '../shared/http/endpoint.ts';
import { lambdaRuntime } from '../shared/runtime/runtime.ts';
import { routes } from './routes.ts';

/** `POST /v1/keys`: adds free keys to a pool, all of them or none. */
export const endpoint = defineEndpoint({
  route: routes.createKeys,
  request: { body: createKeysRequestSchema },
  responses: { 201: createKeysResponseSchema },
  run: async ({ body }, { context, caller }) => {
    const keys = await createKeys(context, caller, body);
    return { status: 201, body: { keys } };
  },
});

export const handler = createHandler(endpoint, lambdaRuntime);

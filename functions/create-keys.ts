import { createKeysRequestSchema, createKeysResponseSchema } from '../shared/contract/keys.ts';
import { idempotencyHeadersSchema } from '../shared/contract/primitives.ts';
import { createKeys } from '../shared/domain/create-keys.ts';
import { createHandler } from '../shared/http/create-handler.ts';
import { defineEndpoint } from '../shared/http/endpoint.ts';
import { lambdaRuntime } from '../shared/runtime/runtime.ts';
import { routes } from './routes.ts';

/** `POST /v1/keys`: adds free keys to a pool, or imports values, all of them or none; safe to retry with an `Idempotency-Key`. */
export const endpoint = defineEndpoint({
  route: routes.createKeys,
  request: { headers: idempotencyHeadersSchema, body: createKeysRequestSchema },
  responses: { 201: createKeysResponseSchema, 200: createKeysResponseSchema },
  run: async ({ headers, body }, { context, caller }) => {
    const request = { ...body, idempotencyKey: headers['idempotency-key'] };
    const { keys, repeated } = await createKeys(context, caller, request);
    return {
      status: repeated ? 200 : 201,
      body: { keys },
      facts: { pool: body.pool, count: keys.length },
    };
  },
});

export const handler = createHandler(endpoint, lambdaRuntime);

import { poolParametersSchema, poolSchema, putPoolRequestSchema } from '../shared/contract/pools.ts';
import { putPool } from '../shared/domain/pools.ts';
import { createHandler } from '../shared/http/create-handler.ts';
import { defineEndpoint } from '../shared/http/endpoint.ts';
import { lambdaRuntime } from '../shared/runtime/runtime.ts';
import { routes } from './routes.ts';

/** `PUT /v1/pools/{pool}`: creates a pool or replaces its whole policy; in force everywhere within 5 s. */
export const endpoint = defineEndpoint({
  route: routes.putPool,
  request: { parameters: poolParametersSchema, body: putPoolRequestSchema },
  responses: { 201: poolSchema, 200: poolSchema },
  run: async ({ parameters, body: { expectedUpdatedAt, ...policy } }, { context, caller }) => {
    const change = { policy, expectedUpdatedAt };
    const { pool, created } = await putPool(context, caller, parameters.pool, change);
    return { status: created ? 201 : 200, body: pool };
  },
});

export const handler = createHandler(endpoint, lambdaRuntime);

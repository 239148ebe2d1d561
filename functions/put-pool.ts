import { poolParametersSchema, poolSchema, putPoolRequestSchema } from '../shared/contract/pools.ts';
import { putPool } from '../shared/domain/pools/put-pool.ts';
import { createHandler } from '../shared/http/create-handler.ts';
import { defineEndpoint } from '../shared/http/endpoint.ts';
import { presentPool } from '../shared/http/present.ts';
import { lambdaRuntime } from '../shared/runtime/runtime.ts';
import { routes } from './routes.ts';

/** `PUT /v1/pools/{pool}`: creates a pool or replaces its policy; in force everywhere within 5 s. */
export const endpoint = defineEndpoint({
  route: routes.putPool,
  request: { parameters: poolParametersSchema, body: putPoolRequestSchema },
  responses: { 201: poolSchema, 200: poolSchema },
  run: async ({ parameters, body }, { context, caller }) => {
    const { pool, created } = await putPool(context, caller, parameters.pool, body);
    return { status: created ? 201 : 200, body: presentPool(pool) };
  },
});

export const handler = createHandler(endpoint, lambdaRuntime);

import { poolParametersSchema, poolSchema } from '../shared/contract/pools.ts';
import { getPool } from '../shared/domain/pools.ts';
import { createHandler } from '../shared/http/create-handler.ts';
import { defineEndpoint } from '../shared/http/endpoint.ts';
import { lambdaRuntime } from '../shared/runtime/runtime.ts';
import { routes } from './routes.ts';

/** `GET /v1/pools/{pool}`: a pool's policy, with its keys counted. */
export const endpoint = defineEndpoint({
  route: routes.getPool,
  request: { parameters: poolParametersSchema },
  responses: { 200: poolSchema },
  run: async ({ parameters }, { context, caller }) => {
    return { status: 200, body: await getPool(context, caller, parameters.pool) };
  },
});

export const handler = createHandler(endpoint, lambdaRuntime);

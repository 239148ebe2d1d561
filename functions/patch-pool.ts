import { patchPoolRequestSchema, poolParametersSchema, poolSchema } from '../shared/contract/pools.ts';
import { patchPool } from '../shared/domain/pools.ts';
import { createHandler } from '../shared/http/create-handler.ts';
import { defineEndpoint } from '../shared/http/endpoint.ts';
import { lambdaRuntime } from '../shared/runtime/runtime.ts';
import { routes } from './routes.ts';

/** `PATCH /v1/pools/{pool}`: changes what it names of a pool's policy, and nothing else; in force everywhere within 5 s. */
export const endpoint = defineEndpoint({
  route: routes.patchPool,
  request: { parameters: poolParametersSchema, body: patchPoolRequestSchema },
  responses: { 200: poolSchema },
  run: async ({ parameters, body: { expectedUpdatedAt, ...policy } }, { context, caller }) => {
    const change = { policy, expectedUpdatedAt };
    return { status: 200, body: await patchPool(context, caller, parameters.pool, change) };
  },
});

export const handler = createHandler(endpoint, lambdaRuntime);

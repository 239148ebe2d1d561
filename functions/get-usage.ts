import { poolParametersSchema } from '../shared/contract/pools.ts';
import { usageQuerySchema, usageSchema } from '../shared/contract/usage.ts';
import { getUsage } from '../shared/domain/usage.ts';
import { createHandler } from '../shared/http/create-handler.ts';
import { defineEndpoint } from '../shared/http/endpoint.ts';
import { lambdaRuntime } from '../shared/runtime/runtime.ts';
import { routes } from './routes.ts';

/** `GET /v1/pools/{pool}/usage`: how many keys of a pool were needed, point by point and in all. */
export const endpoint = defineEndpoint({
  route: routes.getUsage,
  request: { parameters: poolParametersSchema, query: usageQuerySchema },
  responses: { 200: usageSchema },
  run: async ({ parameters, query }, { context, caller }) => {
    return { status: 200, body: await getUsage(context, caller, parameters.pool, query) };
  },
});

export const handler = createHandler(endpoint, lambdaRuntime);

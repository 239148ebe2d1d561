import { poolParametersSchema } from '../shared/contract/pools.ts';
import { deletePool } from '../shared/domain/pools.ts';
import { createHandler } from '../shared/http/create-handler.ts';
import { defineEndpoint } from '../shared/http/endpoint.ts';
import { lambdaRuntime } from '../shared/runtime/runtime.ts';
import { routes } from './routes.ts';

/** `DELETE /v1/pools/{pool}`: gone for every caller within 5 s, leases ended; the default pool becomes empty. */
export const endpoint = defineEndpoint({
  route: routes.deletePool,
  request: { parameters: poolParametersSchema },
  responses: { 202: null },
  run: async ({ parameters }, { context, caller }) => {
    await deletePool(context, caller, parameters.pool);
    return { status: 202, facts: { pool: parameters.pool } };
  },
});

export const handler = createHandler(endpoint, lambdaRuntime);

import { poolParametersSchema } from '../shared/contract/pools.ts';
import { refreshPool } from '../shared/domain/pools.ts';
import { createHandler } from '../shared/http/create-handler.ts';
import { defineEndpoint } from '../shared/http/endpoint.ts';
import { lambdaRuntime } from '../shared/runtime/runtime.ts';
import { routes } from './routes.ts';

/** `POST /v1/pools/{pool}/refresh`: restarts the hard-expiration clock of all its keys, within a sweep. */
export const endpoint = defineEndpoint({
  route: routes.refreshPool,
  request: { parameters: poolParametersSchema },
  responses: { 202: null },
  run: async ({ parameters }, { context, caller }) => {
    await refreshPool(context, caller, parameters.pool);
    return { status: 202, facts: { pool: parameters.pool } };
  },
});

export const handler = createHandler(endpoint, lambdaRuntime);

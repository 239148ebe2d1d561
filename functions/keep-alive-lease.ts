import { leaseParametersSchema, leaseSchema } from '../shared/contract/leases.ts';
import { keepAliveLease } from '../shared/domain/leases.ts';
import { createHandler } from '../shared/http/create-handler.ts';
import { defineEndpoint } from '../shared/http/endpoint.ts';
import { lambdaRuntime } from '../shared/runtime/runtime.ts';
import { routes } from './routes.ts';

/** `POST /v1/leases/{leaseId}/keep-alive`: the holder's heartbeat; extends the lease and refreshes the key. */
export const endpoint = defineEndpoint({
  route: routes.keepAliveLease,
  request: { parameters: leaseParametersSchema },
  responses: { 200: leaseSchema },
  run: async ({ parameters }, { context, caller }) => {
    const body = await keepAliveLease(context, caller, parameters.leaseId);
    return { status: 200, body, facts: { outcome: 'kept_alive' } };
  },
});

export const handler = createHandler(endpoint, lambdaRuntime);

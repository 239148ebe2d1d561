import { heldLeaseSchema, leaseParametersSchema } from '../shared/contract/leases.ts';
import { getLease } from '../shared/domain/leases.ts';
import { createHandler } from '../shared/http/create-handler.ts';
import { defineEndpoint } from '../shared/http/endpoint.ts';
import { lambdaRuntime } from '../shared/runtime/runtime.ts';
import { routes } from './routes.ts';

/** `GET /v1/leases/{leaseId}`: the caller's own lease while it lives, 410 after. */
export const endpoint = defineEndpoint({
  route: routes.getLease,
  request: { parameters: leaseParametersSchema },
  responses: { 200: heldLeaseSchema },
  run: async ({ parameters }, { context, caller }) => {
    return { status: 200, body: await getLease(context, caller, parameters.leaseId) };
  },
});

export const handler = createHandler(endpoint, lambdaRuntime);

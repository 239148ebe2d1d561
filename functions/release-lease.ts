import { leaseParametersSchema, releaseQuerySchema } from '../shared/contract/leases.ts';
import { releaseLease } from '../shared/domain/leases.ts';
import { createHandler } from '../shared/http/create-handler.ts';
import { defineEndpoint } from '../shared/http/endpoint.ts';
import { lambdaRuntime } from '../shared/runtime/runtime.ts';
import { routes } from './routes.ts';

/** `DELETE /v1/leases/{leaseId}`: the holder ends the lease; the key is free at once, rests first, or is deleted. Safe to repeat. */
export const endpoint = defineEndpoint({
  route: routes.releaseLease,
  request: { parameters: leaseParametersSchema, query: releaseQuerySchema },
  responses: { 204: null },
  run: async ({ parameters, query }, { context, caller }) => {
    const { repeated, ...released } = await releaseLease(context, caller, parameters.leaseId, query);
    const outcome = repeated ? 'release_repeated' : OUTCOMES[query.outcome];
    return { status: 204, facts: { ...released, outcome } };
  },
});

const OUTCOMES = { ok: 'released', cooldown: 'cooldown', discard: 'discarded' } as const;

export const handler = createHandler(endpoint, lambdaRuntime);

import { acquireLeaseRequestSchema, heldLeaseSchema, leaseListSchema } from '../shared/contract/leases.ts';
import { idempotencyHeadersSchema } from '../shared/contract/primitives.ts';
import { waitingSchema } from '../shared/contract/tickets.ts';
import { acquireLease, acquireLeases } from '../shared/domain/acquire-lease.ts';
import { createHandler } from '../shared/http/create-handler.ts';
import { defineEndpoint } from '../shared/http/endpoint.ts';
import { lambdaRuntime } from '../shared/runtime/runtime.ts';
import { routes } from './routes.ts';

/**
 * `POST /v1/leases`: one free key of the pool, or `count` of them, for the caller alone; with an `Idempotency-Key` it is
 * safe to retry. In a fair pool `wait` gives a ticket where it is not the caller's turn.
 */
export const endpoint = defineEndpoint({
  route: routes.acquireLease,
  request: { headers: idempotencyHeadersSchema, body: acquireLeaseRequestSchema },
  responses: {
    201: heldLeaseSchema.or(leaseListSchema),
    200: heldLeaseSchema.or(leaseListSchema),
    202: waitingSchema,
  },
  run: async ({ headers, body: { count, ...body } }, { context, caller }) => {
    const request = { ...body, idempotencyKey: headers['idempotency-key'] };
    const acquired =
      count === undefined
        ? await acquireLease(context, caller, request)
        : await acquireLeases(context, caller, { ...request, count });
    if ('waiting' in acquired) return { status: 202, body: acquired.waiting, facts: { outcome: 'waiting' } };
    const { repeated, waitedMs } = acquired;
    const facts = { outcome: repeated ? 'repeated' : 'acquired', waitedMs } as const;
    const status = repeated ? 200 : 201;
    if ('lease' in acquired) return { status, body: acquired.lease, facts };
    const { leases } = acquired;
    const keyIds = leases.map(({ keyId }) => keyId);
    const { pool, holder } = body;
    return { status, body: { leases }, facts: { ...facts, pool, holder, count, keyIds } };
  },
});

export const handler = createHandler(endpoint, lambdaRuntime);

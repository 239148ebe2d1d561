import {
  acquireLeaseRequestSchema,
  idempotencyHeadersSchema,
  leaseSchema,
} from '../shared/contract/leases.ts';
import { acquireLease } from '../shared/domain/acquire-lease.ts';
import { createHandler } from '../shared/http/create-handler.ts';
import { defineEndpoint } from '../shared/http/endpoint.ts';
import { lambdaRuntime } from '../shared/runtime/runtime.ts';
import { routes } from './routes.ts';

/** `POST /v1/leases`: one free key of the pool, for the caller alone; with an `Idempotency-Key` it is safe to retry. */
export const endpoint = defineEndpoint({
  route: routes.acquireLease,
  request: { headers: idempotencyHeadersSchema, body: acquireLeaseRequestSchema },
  responses: { 201: leaseSchema, 200: leaseSchema },
  run: async ({ headers, body }, { context, caller }) => {
    const request = { ...body, idempotencyKey: headers['idempotency-key'] };
    const { lease, repeated } = await acquireLease(context, caller, request);
    return { status: repeated ? 200 : 201, body: lease };
  },
});

export const handler = createHandler(endpoint, lambdaRuntime);

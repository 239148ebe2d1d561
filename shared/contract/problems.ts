import * as z from 'zod';

/** Every `code` of a problem document. */
export const problemCodes = [
  'invalid_request',
  'unauthenticated',
  'forbidden',
  'key_not_found',
  'pool_not_found',
  'client_not_found',
  'route_not_found',
  'method_not_allowed',
  'no_key_available',
  'key_not_leased',
  'lease_changed',
  'pool_full',
  'value_exists',
  'values_not_configured',
  'lease_limit_reached',
  'pool_paused',
  'pool_changed',
  'last_admin',
  'own_credential',
  'lease_ended',
  'ticket_ended',
  'body_too_large',
  'unsupported_media_type',
  'idempotency_key_reused',
  'internal',
  'database_unavailable',
] as const;

export const leaseEndReasonSchema = z.enum(['released', 'lapsed', 'unblocked', 'deleted', 'unknown']);

/** An error, as `application/problem+json` (RFC 9457). */
export const problemSchema = z
  .strictObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.enum(problemCodes),
    detail: z.string(),
    requestId: z.string(),
    errors: z
      .array(z.strictObject({ path: z.string(), message: z.string() }))
      .optional()
      .meta({ description: 'invalid_request, value_exists: what is wrong, and where' }),
    retryAfterMs: z
      .int()
      .optional()
      .meta({ description: 'no_key_available, lease_limit_reached, database_unavailable' }),
    reason: leaseEndReasonSchema.optional().meta({ description: 'lease_ended: why' }),
  })
  .meta({ id: 'Problem', description: 'RFC 9457 problem document' });

export type ProblemCode = (typeof problemCodes)[number];
export type LeaseEndReason = z.output<typeof leaseEndReasonSchema>;
export type Problem = z.output<typeof problemSchema>;

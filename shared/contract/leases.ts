import * as z from 'zod';
import {
  clientIdSchema,
  cursorSchema,
  defaultPoolName,
  durationMsSchema,
  holderSchema,
  keyIdSchema,
  leaseIdSchema,
  leaseSecondsSchema,
  poolNameSchema,
  timeSchema,
} from './primitives.ts';

export const leaseSchema = z
  .strictObject({
    leaseId: leaseIdSchema,
    keyId: keyIdSchema,
    pool: poolNameSchema,
    value: z.string().meta({ description: 'The imported secret, or the key id where none was' }),
    fencingToken: z
      .int()
      .meta({ description: 'Hand it to the guarded resource, which rejects a smaller one' }),
    clientId: clientIdSchema,
    holder: holderSchema.optional(),
    acquiredAt: timeSchema,
    expiresAt: timeSchema,
    expiresInMs: durationMsSchema.meta({ description: 'Count it from before the request was sent' }),
    keepAliveEveryMs: durationMsSchema.meta({ description: 'A third of the lease' }),
  })
  .meta({ id: 'Lease', description: 'The exclusive, time-limited right to one key' });

export const leaseParametersSchema = z.strictObject({ leaseId: leaseIdSchema });

export const acquireLeaseRequestSchema = z
  .strictObject({
    pool: poolNameSchema.default(defaultPoolName),
    leaseSeconds: leaseSecondsSchema
      .optional()
      .meta({ description: "At most the pool's, which is the default" }),
    holder: holderSchema.optional(),
  })
  .meta({ id: 'AcquireLeaseRequest' });

export const idempotencyHeadersSchema = z.object({
  'idempotency-key': z
    .string()
    .regex(/^[\x21-\x7e]{1,255}$/, 'Must be 1 to 255 visible ASCII characters')
    .optional()
    .meta({
      description:
        'A repeat with the same key gives the same lease while it lives; another body under the same key is refused',
    }),
});

export const listLeasesResponseSchema = z
  .strictObject({ leases: z.array(leaseSchema), nextCursor: cursorSchema.optional() })
  .meta({ id: 'LeasePage' });

export type Lease = z.output<typeof leaseSchema>;
export type AcquireLeaseRequest = z.input<typeof acquireLeaseRequestSchema>;
export type ListLeasesResponse = z.output<typeof listLeasesResponseSchema>;

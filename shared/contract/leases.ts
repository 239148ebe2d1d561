import * as z from 'zod';
import {
  clientIdSchema,
  cursorSchema,
  defaultPoolName,
  durationMsSchema,
  holderSchema,
  keyIdSchema,
  labelsSchema,
  leaseIdSchema,
  leaseSecondsSchema,
  pageQuerySchema,
  plainTextSchema,
  poolNameSchema,
  ticketIdSchema,
  timeSchema,
} from './primitives.ts';

export const leaseSchema = z
  .strictObject({
    leaseId: leaseIdSchema,
    keyId: keyIdSchema,
    pool: poolNameSchema,
    fencingToken: z
      .int()
      .meta({ description: 'Hand it to the guarded resource, which rejects a smaller one' }),
    clientId: clientIdSchema,
    holder: holderSchema.optional(),
    acquiredAt: timeSchema,
    expiresAt: timeSchema,
    maxExpiresAt: timeSchema
      .optional()
      .meta({ description: 'No keep-alive moves the end further than this' }),
    expiresInMs: durationMsSchema.meta({ description: 'Count it from before the request was sent' }),
    keepAliveEveryMs: durationMsSchema.meta({ description: 'A third of the lease' }),
  })
  .meta({ id: 'Lease', description: 'The exclusive, time-limited right to one key' });

/** Only an acquire, its repeat, and a `GET` of the holder's own lease tell the value. */
export const heldLeaseSchema = leaseSchema
  .extend({
    value: z.string().meta({ description: 'The imported secret, or the key id where none was' }),
    labels: labelsSchema.optional(),
  })
  .meta({ id: 'HeldLease', description: 'A lease with what it gives its holder' });

export const leaseParametersSchema = z.strictObject({ leaseId: leaseIdSchema });

export const acquireLeaseRequestSchema = z
  .strictObject({
    pool: poolNameSchema.default(defaultPoolName),
    leaseSeconds: leaseSecondsSchema
      .optional()
      .meta({ description: "At most the pool's, which is the default" }),
    holder: holderSchema.optional(),
    count: z
      .int()
      .min(1)
      .max(16)
      .optional()
      .meta({ description: 'So many keys at once, all or none; the response then has `leases`' }),
    wait: z.boolean().optional().meta({
      description:
        'You will ask again where no key is free, so that nobody counts you as refused: leave it out in the last request. In a fair pool you get a place in the queue (202)',
    }),
    ticket: ticketIdSchema
      .optional()
      .meta({ description: 'The place in the queue that an earlier 202 gave; repeating keeps it' }),
    priority: z
      .int()
      .min(0)
      .max(9)
      .optional()
      .meta({ description: 'In the queue of a fair pool: higher goes first; 0 when absent' }),
  })
  .meta({ id: 'AcquireLeaseRequest' });

export const leaseListSchema = z
  .strictObject({ leases: z.array(heldLeaseSchema) })
  .meta({ id: 'LeaseList', description: 'The leases of an acquire that named a `count`' });

/** How the holder found the key. */
export const releaseQuerySchema = z.strictObject({
  outcome: z.enum(['ok', 'cooldown', 'discard']).default('ok').meta({
    description:
      "ok: free at once; cooldown: it rests for the pool's `cooldownSeconds`; discard: it is deleted for good",
  }),
});

export const listLeasesResponseSchema = z
  .strictObject({ leases: z.array(leaseSchema), nextCursor: cursorSchema.optional() })
  .meta({ id: 'LeasePage' });

/** A live lease as operators see it: its id would let them speak for the holder. */
const holderOfKeySchema = leaseSchema
  .omit({ leaseId: true, keepAliveEveryMs: true })
  .extend({ heldMs: z.int().meta({ description: 'Since it was acquired' }) })
  .meta({ id: 'Holder', description: 'Who holds a key, since when and until when' });

export const listHoldersQuerySchema = pageQuerySchema.extend({
  pool: poolNameSchema.optional(),
  client: clientIdSchema.optional(),
  holder: plainTextSchema(200).optional().meta({
    description: 'Only leases whose holder contains this; upper and lower case are the same',
  }),
});

export const listHoldersResponseSchema = z
  .strictObject({ holders: z.array(holderOfKeySchema), nextCursor: cursorSchema.optional() })
  .meta({
    id: 'HolderPage',
    description:
      'A page may be short, or empty, although more follow: go on while there is a `nextCursor`. Oldest first, a hundred clients at a time',
  });

export type Holder = z.output<typeof holderOfKeySchema>;
export type ListHoldersQuery = z.input<typeof listHoldersQuerySchema>;
export type ListHoldersResponse = z.output<typeof listHoldersResponseSchema>;
export type Lease = z.output<typeof leaseSchema>;
export type HeldLease = z.output<typeof heldLeaseSchema>;
export type LeaseList = z.output<typeof leaseListSchema>;
export type ReleaseQuery = z.input<typeof releaseQuerySchema>;
export type AcquireLeaseRequest = z.input<typeof acquireLeaseRequestSchema>;
export type ListLeasesResponse = z.output<typeof listLeasesResponseSchema>;

import * as z from 'zod';
import {
  clientIdSchema,
  cursorSchema,
  defaultPoolName,
  durationMsSchema,
  holderSchema,
  keyIdSchema,
  labelsSchema,
  pageQuerySchema,
  pauseReasonSchema,
  plainTextSchema,
  poolNameSchema,
  queryBooleanSchema,
  queryIntegerSchema,
  timeSchema,
} from './primitives.ts';

export const keyStateSchema = z.enum(['free', 'leased', 'cooling', 'paused']).meta({ id: 'KeyState' });

export const keySchema = z
  .strictObject({
    keyId: keyIdSchema,
    pool: poolNameSchema,
    state: keyStateSchema,
    fencingToken: z.int().meta({ description: 'Grows with every acquire of this key' }),
    labels: labelsSchema.optional(),
    createdAt: timeSchema,
    expiresAt: timeSchema.nullable().meta({ description: 'Hard expiration; null: never' }),
    expiresInMs: durationMsSchema.nullable(),
    freeInMs: durationMsSchema.optional().meta({ description: 'While cooling: until it is free' }),
    paused: z
      .strictObject({ at: timeSchema, by: clientIdSchema, reason: pauseReasonSchema.optional() })
      .optional()
      .meta({ description: 'Out of service; a lease on it goes on, and then nobody gets the key' }),
    lease: z
      .strictObject({
        clientId: clientIdSchema,
        holder: holderSchema.optional(),
        acquiredAt: timeSchema,
        expiresAt: timeSchema,
        expiresInMs: durationMsSchema,
        maxExpiresAt: timeSchema.optional(),
      })
      .optional(),
  })
  .meta({ id: 'Key', description: 'One unit of a pool; never its value' });

export const keyParametersSchema = z.strictObject({ keyId: keyIdSchema });

const MAX_VALUE_BYTES = 4096;

/** An imported secret. */
const valueSchema = z
  .string()
  .min(1)
  .refine((text) => new TextEncoder().encode(text).length <= MAX_VALUE_BYTES, 'Must have at most 4096 bytes')
  .meta({ description: 'A secret of up to 4 KiB that a lease gives its holder' });

const importSchema = z
  .union(
    [valueSchema, z.strictObject({ value: valueSchema, labels: labelsSchema.optional() })],
    'Must be text, or an object with a value and labels',
  )
  .transform((item) => (typeof item === 'string' ? { value: item } : item));

export const createKeysRequestSchema = z
  .strictObject({
    pool: poolNameSchema.default(defaultPoolName),
    count: z.int().min(1).max(1000).optional().meta({ description: 'How many keys to make; 1 when absent' }),
    labels: labelsSchema.optional(),
    values: z
      .array(importSchema)
      .min(1)
      .max(1000)
      .optional()
      .meta({ description: 'Secrets to import, one key each, all of them or none; instead of `count`' }),
  })
  .refine((body) => body.count === undefined || body.values === undefined, {
    path: ['count'],
    message: 'Must be absent where values are given',
  })
  .meta({ id: 'CreateKeysRequest' });

export const patchKeyRequestSchema = z.strictObject({ labels: labelsSchema }).meta({ id: 'PatchKeyRequest' });

export const pauseKeyRequestSchema = z
  .strictObject({ reason: pauseReasonSchema.optional() })
  .meta({ id: 'PauseKeyRequest' });

export const createKeysResponseSchema = z
  .strictObject({ keys: z.array(keySchema) })
  .meta({ id: 'CreatedKeys' });

export const listKeysQuerySchema = pageQuerySchema.extend({
  pool: poolNameSchema.default(defaultPoolName),
  state: keyStateSchema.optional(),
  search: plainTextSchema(200).optional().meta({
    description:
      'Only keys whose id, holder or a label (`name=value`) contains this; upper and lower case are the same',
  }),
});

export const listKeysResponseSchema = z
  .strictObject({ keys: z.array(keySchema), nextCursor: cursorSchema.optional() })
  .meta({
    id: 'KeyPage',
    description:
      'Of a `state` or a `search` a page may be short, or empty, although more follow: go on while there is a `nextCursor`',
  });

/** How an admin ends somebody's lease, or deletes a key. */
export const endingQuerySchema = z.strictObject({
  force: queryBooleanSchema.meta({
    description: "Free the key at once, before the holder's own deadline: safe only behind a fencing token",
  }),
  fencingToken: queryIntegerSchema(0, Number.MAX_SAFE_INTEGER).optional().meta({
    description:
      'The lease that is meant; another one there is 409 lease_changed. Absent: the lease that stands when the call is read',
  }),
});

export type KeyState = z.output<typeof keyStateSchema>;
export type Key = z.output<typeof keySchema>;
export type CreateKeysRequest = z.input<typeof createKeysRequestSchema>;
export type CreateKeysResponse = z.output<typeof createKeysResponseSchema>;
export type ListKeysQuery = z.input<typeof listKeysQuerySchema>;
export type ListKeysResponse = z.output<typeof listKeysResponseSchema>;

import * as z from 'zod';

/** Text that people will read in logs and tables. Not `\\p{Cc}`: not every reader of the API document knows it. */
export function plainTextSchema(maxLength: number) {
  return (
    z
      .string()
      .min(1)
      .max(maxLength)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it refuses
      .regex(/^[^\u0000-\u001f\u007f-\u009f]*$/, 'Must have no control characters')
  );
}

/** Where a caller names no pool. */
export const defaultPoolName = 'default';

export const poolNameSchema = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9._-]{0,62}$/,
    'Must be 1 to 63 of a-z, 0-9, ".", "_", "-", and start with a letter or digit',
  )
  .meta({ id: 'PoolName', description: 'Name of a pool', example: 'licences' });

export const keyIdSchema = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}$/, 'Must be a key id')
  .meta({ description: 'Id of a key', example: 'key_5hVbnkXyG1Nv0eWcXl4Zzw' });

/** For how many hours the usage of each minute is kept, and that of each hour. */
export const MINUTES_KEPT_HOURS = 7 * 24;
export const HOURS_KEPT_HOURS = 400 * 24;

/** Opaque to callers. */
export const leaseIdSchema = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,512}$/, 'Must be a lease id')
  .meta({ description: 'Id of a lease; opaque' });

/** Opaque to callers. */
export const ticketIdSchema = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}$/, 'Must be a ticket')
  .meta({ description: 'A place in the queue of a fair pool; opaque' });

export const clientIdSchema = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}$/, 'Must be a client id')
  .meta({ description: 'Id of a client', example: 'client_Zm9vYmFyYmF6' });

export const holderSchema = plainTextSchema(200).meta({
  description: 'Free-text label of whoever holds the lease',
  example: 'build-agent-7',
});

/** Not secret. */
export const pauseReasonSchema = plainTextSchema(200).meta({
  description: 'Why a key is out of service',
  example: 'In repair',
});

/** What operators note on a key; not secret. */
export const labelsSchema = z
  .record(
    z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'Must be 1 to 63 of A-Z, a-z, 0-9, ".", "_", "-"'),
    plainTextSchema(200),
  )
  .refine((labels) => Object.keys(labels).length <= 8, 'Must have at most 8 labels')
  .meta({ id: 'Labels', description: 'Up to 8 notes on a key; not secret', example: { region: 'eu' } });

export type Labels = z.output<typeof labelsSchema>;

export const leaseSecondsSchema = z
  .int()
  .min(1)
  .max(86_400)
  .meta({ description: 'Length of a lease, in seconds', example: 60 });

/** An instant, ISO 8601 in UTC. */
export const timeSchema = z.iso
  .datetime()
  .meta({ description: 'ISO 8601, UTC', example: '2026-01-01T12:00:00.000Z' });

export const durationMsSchema = z
  .int()
  .meta({ description: 'Milliseconds from the moment of the response', example: 60_000 });

/** Where the next page starts; opaque. */
export const cursorSchema = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,512}$/, 'Must be a cursor of an earlier page')
  .meta({ description: 'Where the next page starts, from `nextCursor` of the page before; opaque' });

/** A whole number in a query string: text on the wire, an integer in the API document. */
export function queryIntegerSchema(minimum: number, maximum: number) {
  return z
    .string()
    .regex(/^\d{1,16}$/, 'Must be a whole number')
    .transform(Number)
    .pipe(z.int().min(minimum).max(maximum))
    .meta({
      override: ({ jsonSchema }: { jsonSchema: Record<string, unknown> }) => {
        delete jsonSchema.pattern;
        Object.assign(jsonSchema, { type: 'integer', minimum, maximum });
      },
    });
}

/** `true` or `false` in a query string. */
export const queryBooleanSchema = z
  .enum(['true', 'false'])
  .transform((text) => text === 'true')
  .default(false);

export const idempotencyHeadersSchema = z.object({
  'idempotency-key': z
    .string()
    .regex(/^[\x21-\x7e]{1,255}$/, 'Must be 1 to 255 visible ASCII characters')
    .optional()
    .meta({
      description:
        'Makes the call safe to retry: a repeat with the same key gives the same lease while it lives, or the same keys for a day; another body under the same key is refused',
    }),
});

export const pageQuerySchema = z.strictObject({
  limit: queryIntegerSchema(1, 200).default(50),
  cursor: cursorSchema.optional(),
});

export const noQuerySchema = z.strictObject({});

export const noBodySchema = z.strictObject({});

import * as z from 'zod';
import {
  cursorSchema,
  durationMsSchema,
  leaseSecondsSchema,
  poolNameSchema,
  timeSchema,
} from './primitives.ts';

const TEN_YEARS_S = 315_360_000;
const THIRTY_DAYS_S = 2_592_000;

/** The rules of a pool: every field, its limits and its default. */
export const policySchema = z
  .strictObject({
    leaseSeconds: leaseSecondsSchema.default(60),
    keyTtlSeconds: z
      .int()
      .min(1)
      .max(TEN_YEARS_S)
      .nullable()
      .meta({
        description: "A key's life after creation or refresh, in seconds; null: it never expires",
        example: 300,
      })
      .default(300),
    maxKeys: z
      .int()
      .min(0)
      .max(100_000)
      .nullable()
      .meta({ description: 'The most keys; null: no limit' })
      .default(null),
    targetSize: z
      .int()
      .min(0)
      .max(10_000)
      .nullable()
      .meta({
        description:
          'The pool holds this many keys: the sweep, or an acquire that finds none, makes what is missing; null: keys are made by hand',
      })
      .default(null),
    maxLeaseSeconds: z
      .int()
      .min(1)
      .max(THIRTY_DAYS_S)
      .nullable()
      .meta({ description: 'No lease lives longer, however often it is kept alive; null: no limit' })
      .default(null),
    cooldownSeconds: z
      .int()
      .min(0)
      .max(86_400)
      .meta({
        description:
          'How long a key rests whose lease lapsed, was unblocked, or was released with `outcome=cooldown`',
      })
      .default(0),
    maxLeasesPerClient: z
      .int()
      .min(1)
      .max(1000)
      .nullable()
      .meta({ description: 'The most live leases of one client in this pool; null: no limit' })
      .default(null),
    fair: z
      .boolean()
      .meta({ description: 'Callers that wait are served in order: first come, first served' })
      .default(false),
    agingSeconds: z
      .int()
      .min(1)
      .max(3600)
      .meta({ description: 'In a fair pool: waiting this long counts as much as one step of priority' })
      .default(60),
    paused: z.boolean().meta({ description: 'No new leases; live ones go on' }).default(false),
  })
  .meta({ id: 'PoolPolicy' });

type Policy = typeof policySchema.shape;

/** The same fields, each as it is without its default. */
const fields = Object.fromEntries(
  Object.entries(policySchema.shape).map(([name, schema]) => [name, schema.unwrap()]),
) as { [Field in keyof Policy]: Policy[Field] extends z.ZodDefault<infer Schema> ? Schema : never };

const expectedUpdatedAtSchema = timeSchema.transform(Date.parse).optional().meta({
  description: '`updatedAt` of the pool as it was read; a pool that was changed since is 409 pool_changed',
});

/** A whole policy: what is left out gets its default. */
export const putPoolRequestSchema = policySchema
  .extend({ expectedUpdatedAt: expectedUpdatedAtSchema })
  .meta({ id: 'PutPoolRequest' });

/** What is left out stays. */
export const patchPoolRequestSchema = z
  .strictObject(fields)
  .partial()
  .extend({ expectedUpdatedAt: expectedUpdatedAtSchema })
  .meta({ id: 'PatchPoolRequest' });

export const countSchema = z
  .strictObject({
    count: z.int(),
    relation: z.enum(['exact', 'atLeast']).meta({ description: 'Counts are exact up to 10,000' }),
  })
  .meta({ id: 'Count' });

export const poolSchema = z
  .strictObject({
    pool: poolNameSchema,
    ...fields,
    counts: z.strictObject({
      free: countSchema,
      leased: countSchema,
      cooling: countSchema,
      paused: countSchema,
    }),
    waiting: countSchema.meta({ description: 'Keys of a fair pool that callers wait for' }),
    nextFreeInMs: durationMsSchema.nullable().meta({
      description:
        'Until the next leased or cooling key is free if nobody keeps it alive; null: none is, or all of them are paused',
    }),
    createdAt: timeSchema,
    updatedAt: timeSchema,
  })
  .meta({ id: 'Pool', description: 'A named set of interchangeable keys under one policy' });

export const poolParametersSchema = z.strictObject({ pool: poolNameSchema });

export const listPoolsResponseSchema = z
  .strictObject({ pools: z.array(poolSchema), nextCursor: cursorSchema.optional() })
  .meta({ id: 'PoolPage' });

export type PoolPolicy = z.output<typeof policySchema>;
export type Pool = z.output<typeof poolSchema>;
export type PutPoolRequest = z.input<typeof putPoolRequestSchema>;
export type PatchPoolRequest = z.input<typeof patchPoolRequestSchema>;
export type ListPoolsResponse = z.output<typeof listPoolsResponseSchema>;

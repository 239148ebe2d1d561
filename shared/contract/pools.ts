import * as z from 'zod';
import {
  cursorSchema,
  durationMsSchema,
  leaseSecondsSchema,
  poolNameSchema,
  timeSchema,
} from './primitives.ts';

const TEN_YEARS_S = 315_360_000;

const policyShape = {
  leaseSeconds: leaseSecondsSchema,
  keyTtlSeconds: z.int().min(1).max(TEN_YEARS_S).nullable().meta({
    description: "A key's life after creation or refresh, in seconds; null: it never expires",
    example: 300,
  }),
  maxKeys: z.int().min(0).max(1_000_000).nullable().meta({ description: 'The most keys; null: no limit' }),
  paused: z.boolean().meta({ description: 'No new leases; live ones go on' }),
};

/** What is left out has its default. */
export const putPoolRequestSchema = z
  .strictObject({
    leaseSeconds: policyShape.leaseSeconds.default(60),
    keyTtlSeconds: policyShape.keyTtlSeconds.default(300),
    maxKeys: policyShape.maxKeys.default(null),
    paused: policyShape.paused.default(false),
  })
  .meta({ id: 'PoolPolicy' });

const countSchema = z
  .strictObject({
    count: z.int(),
    relation: z.enum(['exact', 'atLeast']).meta({ description: 'Counts are exact up to 10,000' }),
  })
  .meta({ id: 'Count' });

export const poolSchema = z
  .strictObject({
    pool: poolNameSchema,
    ...policyShape,
    counts: z.strictObject({ free: countSchema, leased: countSchema, cooling: countSchema }),
    nextFreeInMs: durationMsSchema.nullable().meta({
      description:
        'Until the next leased or cooling key is free if nobody keeps it alive; null: none is leased or cooling',
    }),
    createdAt: timeSchema,
    updatedAt: timeSchema,
  })
  .meta({ id: 'Pool', description: 'A named set of interchangeable keys under one policy' });

export const poolParametersSchema = z.strictObject({ pool: poolNameSchema });

export const listPoolsResponseSchema = z
  .strictObject({ pools: z.array(poolSchema), nextCursor: cursorSchema.optional() })
  .meta({ id: 'PoolPage' });

export type Pool = z.output<typeof poolSchema>;
export type PutPoolRequest = z.input<typeof putPoolRequestSchema>;
export type ListPoolsResponse = z.output<typeof listPoolsResponseSchema>;

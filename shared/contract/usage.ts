import * as z from 'zod';
import { countSchema } from './pools.ts';
import {
  cursorSchema,
  HOURS_KEPT_HOURS,
  MINUTES_KEPT_HOURS,
  poolNameSchema,
  queryIntegerSchema,
  timeSchema,
} from './primitives.ts';

const numberSchema = z.int().min(0).optional();

export const usagePointSchema = z
  .strictObject({
    at: timeSchema.meta({ description: 'Where the step begins' }),
    minutes: z.int().meta({ description: 'Minutes of the step of which anything is known' }),
    refusedMinutes: z.int().meta({ description: 'Those of them in which an acquire found no key free' }),
    peak: numberSchema.meta({
      description: 'The most keys that were leased or cooling at once; the others absent: nobody counted',
    }),
    keys: numberSchema.meta({ description: 'The most keys that there were' }),
    leased: numberSchema.meta({ description: 'The most keys that were leased at once' }),
    leastLeased: numberSchema.meta({ description: 'The fewest' }),
    free: numberSchema.meta({ description: 'The fewest keys that were free' }),
    cooling: numberSchema.meta({ description: 'The most keys that cooled at once' }),
    waiting: numberSchema.meta({ description: 'The most keys that callers of a fair pool waited for' }),
    atLeast: z.literal(true).optional().meta({
      description: 'Counts end at 10,000: numbers of this point may be greater, and its peak',
    }),
  })
  .meta({ id: 'UsagePoint', description: 'What a pool was used for in one step of time' });

const percentileSchema = z.int().nullable().meta({
  description:
    'So many keys would have covered this part of the known minutes; null: unknown, since in more than the rest of them callers were refused, or no minute is known',
});

export const usageTotalsSchema = z
  .strictObject({
    minutes: z.int(),
    refusedMinutes: z.int(),
    peak: z.int().nullable().meta({ description: 'The greatest peak; null: nobody counted' }),
    p50: percentileSchema,
    p95: percentileSchema,
    p99: percentileSchema,
    p999: percentileSchema,
    atLeast: z.literal(true).optional(),
  })
  .meta({ id: 'UsageTotals', description: 'Of all known minutes of the window' });

const windowShape = {
  from: timeSchema,
  to: timeSchema,
  stepMinutes: z.int(),
  resolutionMinutes: z.union([z.literal(1), z.literal(60)]).meta({
    description:
      '60: each minute of an hour counts as its greatest one, so that percentiles are upper bounds',
  }),
};

const pointsSchema = z.array(usagePointSchema).meta({
  description: 'In order; a step of which nothing is known has no point',
});

export const usageSchema = z
  .strictObject({
    pool: poolNameSchema,
    ...windowShape,
    keys: countSchema.meta({ description: 'The keys that there are now' }),
    totals: usageTotalsSchema,
    points: pointsSchema,
  })
  .meta({ id: 'Usage', description: 'How many keys of a pool were needed' });

export const usageQuerySchema = z.strictObject({
  hours: queryIntegerSchema(1, HOURS_KEPT_HOURS).default(24).meta({ description: 'How far back' }),
  step: queryIntegerSchema(1, 10_080)
    .optional()
    .meta({ description: 'Minutes of a point; such that there are at most 500 of them when absent' }),
});

export const listUsageQuerySchema = z.strictObject({
  hours: queryIntegerSchema(1, MINUTES_KEPT_HOURS).default(24),
  limit: queryIntegerSchema(1, 200).default(50),
  cursor: cursorSchema.optional(),
});

export const listUsageResponseSchema = z
  .strictObject({
    ...windowShape,
    pools: z.array(z.strictObject({ pool: poolNameSchema, points: pointsSchema })),
    nextCursor: cursorSchema.optional(),
  })
  .meta({ id: 'UsagePage' });

export type UsagePoint = z.output<typeof usagePointSchema>;
export type UsageTotals = z.output<typeof usageTotalsSchema>;
export type Usage = z.output<typeof usageSchema>;
export type ListUsageResponse = z.output<typeof listUsageResponseSchema>;

import * as z from 'zod';

export const healthSchema = z
  .strictObject({
    status: z.literal('ok').meta({ description: 'The service answers requests' }),
    database: z.literal('ok').meta({ description: 'It answered; otherwise the status is 503' }),
    schema: z.enum(['ok', 'older', 'newer']).meta({
      description: 'What prepared the database: this release, an older or a newer one',
    }),
    sweep: z.enum(['ok', 'late']).meta({
      description: 'Late: none began in the last three minutes. Leases are right all the same',
    }),
    lastSweepAgeMs: z
      .int()
      .min(0)
      .optional()
      .meta({ description: 'Since the last sweep began; absent: there was none' }),
  })
  .meta({ id: 'Health' });

export type Health = z.output<typeof healthSchema>;

import * as z from 'zod';
import {
  clientIdSchema,
  cursorSchema,
  durationMsSchema,
  holderSchema,
  poolNameSchema,
  ticketIdSchema,
  timeSchema,
} from './primitives.ts';

const positionSchema = z
  .int()
  .meta({ description: 'How many keys go to others first; counted up to 10,000', example: 3 });

/** What a caller is told that has to wait. */
export const waitingSchema = z
  .strictObject({
    ticket: ticketIdSchema,
    pool: poolNameSchema,
    position: positionSchema,
    retryAfterMs: durationMsSchema.meta({
      description: 'When to ask again; a ticket that is not used for twice as long lapses',
    }),
  })
  .meta({ id: 'Waiting', description: 'A place in the queue of a fair pool' });

/** Who waits, for operators: not the ticket itself, which whoever has it could use. */
export const queueEntrySchema = z
  .strictObject({
    position: positionSchema,
    clientId: clientIdSchema,
    holder: holderSchema.optional(),
    priority: z.int(),
    count: z.int().meta({ description: 'How many keys it waits for', example: 1 }),
    waitingSince: timeSchema,
    waitingMs: durationMsSchema,
  })
  .meta({ id: 'QueueEntry' });

export const listTicketsResponseSchema = z
  .strictObject({ tickets: z.array(queueEntrySchema), nextCursor: cursorSchema.optional() })
  .meta({ id: 'QueuePage' });

export const ticketParametersSchema = z.strictObject({ ticket: ticketIdSchema });

export type Waiting = z.output<typeof waitingSchema>;
export type QueueEntry = z.output<typeof queueEntrySchema>;
export type ListTicketsResponse = z.output<typeof listTicketsResponseSchema>;

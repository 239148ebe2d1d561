import * as z from 'zod';
import {
  clientIdSchema,
  cursorSchema,
  holderSchema,
  keyIdSchema,
  pauseReasonSchema,
  poolNameSchema,
  queryIntegerSchema,
  timeSchema,
} from './primitives.ts';

export const eventTypeSchema = z
  .enum([
    'lease.lapsed',
    'lease.unblocked',
    'key.created',
    'key.deleted',
    'key.discarded',
    'key.paused',
    'key.resumed',
    'pool.exhausted',
    'pool.changed',
    'client.created',
    'client.revoked',
    'client.secret_added',
  ])
  .meta({ id: 'EventType' });

export const eventSchema = z
  .strictObject({
    eventId: z
      .string()
      .regex(/^[A-Za-z0-9_-]{1,64}$/)
      .meta({
        description: 'The same however often the event is sent',
        example: 'event_5hVbnkXyG1Nv0eWcXl4Zzw',
      }),
    type: eventTypeSchema,
    at: timeSchema,
    pool: poolNameSchema.optional(),
    keyId: keyIdSchema.optional(),
    clientId: clientIdSchema.optional().meta({ description: 'Whose lease it was, or which client' }),
    holder: holderSchema.optional(),
    fencingToken: z.int().optional(),
    by: clientIdSchema.optional().meta({ description: 'The client that did it' }),
    reason: pauseReasonSchema.optional(),
    count: z.int().optional().meta({ description: 'key.created: how many' }),
    change: z
      .enum(['created', 'updated', 'refreshed', 'emptied', 'deleted'])
      .optional()
      .meta({ description: 'pool.changed: what became of the pool' }),
    fields: z
      .array(z.string())
      .optional()
      .meta({ description: 'pool.changed, updated: the fields of the policy that changed' }),
  })
  .meta({ id: 'Event', description: 'Something that happened; never a value, a lease id or a credential' });

const afterSchema = cursorSchema.meta({
  description:
    'Where to go on, from `next` of the page before; absent: the oldest event that is kept; opaque',
});

export const listEventsQuerySchema = z
  .strictObject({
    pool: poolNameSchema.optional(),
    type: eventTypeSchema.optional(),
    key: keyIdSchema.optional(),
    client: clientIdSchema.optional().meta({ description: 'Whose lease it was, or which client' }),
    holder: holderSchema.optional().meta({ description: 'The whole holder of the lease, letter for letter' }),
    after: afterSchema.optional(),
    limit: queryIntegerSchema(1, 200).default(50),
    tail: queryIntegerSchema(1, 200)
      .optional()
      .meta({ description: 'The newest so many events, instead of those after a place' }),
  })
  .refine((query) => query.after === undefined || query.tail === undefined, {
    path: ['tail'],
    message: 'Must be absent where `after` is given',
  });

export const listEventsResponseSchema = z
  .strictObject({
    events: z.array(eventSchema),
    next: cursorSchema.meta({ description: 'What to send as `after` for the events that follow; opaque' }),
  })
  .meta({
    id: 'EventPage',
    description:
      'A page may be short, or empty, although more follow: whoever follows asks again with `next`',
  });

export type EventType = z.output<typeof eventTypeSchema>;
export type Event = z.output<typeof eventSchema>;
export type ListEventsQuery = z.input<typeof listEventsQuerySchema>;
export type ListEventsResponse = z.output<typeof listEventsResponseSchema>;

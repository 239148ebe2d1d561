import * as z from 'zod';
import {
  clientIdSchema,
  cursorSchema,
  plainTextSchema,
  poolNameSchema,
  queryBooleanSchema,
  timeSchema,
} from './primitives.ts';

export const roleSchema = z
  .enum(['admin', 'client', 'viewer'])
  .meta({ id: 'Role', description: 'admin: everything; client: leases; viewer: reads' });

const poolsSchema = z
  .array(poolNameSchema)
  .min(1)
  .max(20)
  .meta({ description: 'The pools the credential is limited to; absent: all' });

const descriptionSchema = plainTextSchema(200);

export const clientSchema = z
  .strictObject({
    clientId: clientIdSchema,
    role: roleSchema,
    pools: poolsSchema.optional(),
    description: descriptionSchema.optional(),
    createdAt: timeSchema,
  })
  .meta({ id: 'Client', description: 'Whoever a credential names' });

export const clientParametersSchema = z.strictObject({ clientId: clientIdSchema });

/** `force=true` lets an admin revoke the credential of this very call. */
export const deleteClientQuerySchema = z.strictObject({ force: queryBooleanSchema });

/** Whoever makes the call. */
export const callerSchema = z
  .strictObject({ clientId: clientIdSchema, role: roleSchema, pools: poolsSchema.optional() })
  .meta({ id: 'Caller', description: 'Whoever the credential of the call names' });

export const createClientRequestSchema = z
  .strictObject({
    role: roleSchema,
    pools: poolsSchema.optional(),
    description: descriptionSchema.optional(),
  })
  .meta({ id: 'CreateClientRequest' });

export const createdClientSchema = clientSchema
  .extend({
    credential: z.string().meta({ description: '`<clientId>.<secret>`, shown in this response alone' }),
  })
  .meta({ id: 'CreatedClient' });

export const listClientsResponseSchema = z
  .strictObject({ clients: z.array(clientSchema), nextCursor: cursorSchema.optional() })
  .meta({ id: 'ClientPage' });

export type Role = z.output<typeof roleSchema>;
export type Client = z.output<typeof clientSchema>;
export type Caller = z.output<typeof callerSchema>;
export type CreateClientRequest = z.input<typeof createClientRequestSchema>;
export type CreatedClient = z.output<typeof createdClientSchema>;
export type ListClientsResponse = z.output<typeof listClientsResponseSchema>;

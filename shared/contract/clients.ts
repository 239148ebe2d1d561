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

const TEN_YEARS_S = 315_360_000;
const THIRTY_DAYS_S = 2_592_000;

const expiresInSecondsSchema = z.int().min(1).max(TEN_YEARS_S);

export const clientSchema = z
  .strictObject({
    clientId: clientIdSchema,
    role: roleSchema,
    pools: poolsSchema.optional(),
    description: descriptionSchema.optional(),
    createdAt: timeSchema,
    rotatedAt: timeSchema
      .optional()
      .meta({ description: 'When it got its newest secret; absent: at its creation' }),
    expiresAt: timeSchema
      .optional()
      .meta({ description: 'From then on its newest secret is refused; absent: it never expires' }),
    oldSecretExpiresAt: timeSchema
      .optional()
      .meta({ description: 'Until then the secret before the newest is good too; absent: there is none' }),
    lastUsedAt: timeSchema
      .optional()
      .meta({ description: 'The hour in which its credential was last used; absent: never' }),
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
    expiresInSeconds: expiresInSecondsSchema.optional().meta({
      description: 'After so many seconds the credential is refused; absent: it never expires',
      example: 7_776_000,
    }),
  })
  .meta({ id: 'CreateClientRequest' });

export const rotateClientRequestSchema = z
  .strictObject({
    keepOldSeconds: z.int().min(0).max(THIRTY_DAYS_S).default(86_400).meta({
      description:
        'How long the secret that was the newest so far stays good, in seconds; 0: no older secret is good from now on',
      example: 86_400,
    }),
    expiresInSeconds: expiresInSecondsSchema.nullable().optional().meta({
      description:
        'After so many seconds the new secret is refused; null: it never expires; absent: as long as the one before was made for',
      example: 7_776_000,
    }),
  })
  .meta({ id: 'RotateClientRequest' });

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
export type RotateClientRequest = z.input<typeof rotateClientRequestSchema>;
export type CreatedClient = z.output<typeof createdClientSchema>;
export type ListClientsResponse = z.output<typeof listClientsResponseSchema>;

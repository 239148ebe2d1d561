import * as z from 'zod';
import { roleSchema } from '../contract/clients.ts';
import type { Caller, Role } from '../domain/client.ts';
import { authenticate, toCaller } from '../domain/clients.ts';
import { ForbiddenError, UnauthenticatedError } from '../domain/errors.ts';
import type { RuntimeSource } from '../runtime/runtime.ts';
import type { ApiEvent, VerifiedContext } from './api-event.ts';
import type { Access } from './route.ts';

const verifiedContextSchema = z.object({
  clientId: z.string().min(1),
  role: roleSchema,
  pools: z
    .string()
    .transform((text): unknown => (text === '' ? undefined : JSON.parse(text)))
    .pipe(z.array(z.string()).optional()),
});

const BEARER = /^Bearer +(\S+)$/i;

const NOBODY: Caller = { clientId: '', role: 'viewer', pools: [] };

/** The credential of an `Authorization` header; undefined when it carries none. */
export function readBearer(header: string | undefined): string | undefined {
  return BEARER.exec(header ?? '')?.[1];
}

/** The caller as the authorizer passes it on to the functions. */
export function toVerifiedContext(caller: Caller): VerifiedContext {
  const { clientId, role, pools } = caller;
  return { clientId, role, pools: pools === undefined ? '' : JSON.stringify(pools) };
}

/** The caller of an event, if its role may call the route. @throws UnauthenticatedError, ForbiddenError */
export async function authorizeCaller(
  event: ApiEvent,
  access: Access,
  getRuntime: RuntimeSource,
): Promise<Caller> {
  if (access === 'anyone') return NOBODY;
  const passedOn = event.requestContext.authorizer?.lambda;
  const caller =
    passedOn !== undefined && 'unverified' in passedOn
      ? await verifyHere(event, getRuntime)
      : readVerifiedContext(passedOn);
  if (!mayCall(caller.role, access))
    throw new ForbiddenError(`The role "${caller.role}" is not allowed to do this`);
  return caller;
}

function readVerifiedContext(passedOn: unknown): Caller {
  const context = verifiedContextSchema.safeParse(passedOn);
  if (!context.success) throw new UnauthenticatedError('The request carries no credential');
  const { clientId, role, pools } = context.data;
  return { clientId, role, pools };
}

async function verifyHere(event: ApiEvent, getRuntime: RuntimeSource): Promise<Caller> {
  const credential = readBearer(event.headers.authorization);
  if (credential === undefined) throw new UnauthenticatedError('The request carries no credential');
  const { context } = await getRuntime();
  const client = await authenticate(context.store.clients, credential, context.clock());
  if (client === undefined) throw new ForbiddenError('The credential is wrong, has expired or was revoked');
  return toCaller(client);
}

function mayCall(role: Role, access: Access): boolean {
  return access === 'authenticated' || role === 'admin' || role === access;
}

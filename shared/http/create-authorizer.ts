import type {
  APIGatewayRequestAuthorizerEventV2,
  APIGatewaySimpleAuthorizerWithContextResult,
} from 'aws-lambda';
import type { Client } from '../domain/client.ts';
import { authenticate, ClientUses } from '../domain/clients.ts';
import { DatabaseUnavailableError } from '../domain/errors.ts';
import { answerWithin } from '../runtime/answer-within.ts';
import type { RuntimeSource } from '../runtime/runtime.ts';
import type { AuthorizerContext } from './api-event.ts';
import { readBearer, toVerifiedContext } from './authorize-caller.ts';

export type Authorizer = (
  event: Pick<APIGatewayRequestAuthorizerEventV2, 'identitySource'>,
) => Promise<APIGatewaySimpleAuthorizerWithContextResult<AuthorizerContext | Record<string, never>>>;

/** How long the authorizer waits for the database before it leaves the verification to the function, in milliseconds. */
const PATIENCE_MS = 500;

/** How long it then waits for the note of the use, which changes nothing for the caller, in milliseconds. */
const NOTE_PATIENCE_MS = 200;

/** A Lambda authorizer of an HTTP API, with simple responses. A wrong, expired or revoked credential is denied. */
export function createAuthorizer(getRuntime: RuntimeSource): Authorizer {
  const uses = new ClientUses();
  return async (event) => {
    const credential = readBearer(event.identitySource?.[0]);
    if (credential === undefined) return { isAuthorized: false, context: {} };
    const client = await answerWithin(verify(getRuntime, credential), PATIENCE_MS, 'unverified' as const);
    if (client === 'unverified') return { isAuthorized: true, context: { unverified: 'true' } };
    if (client === undefined) return { isAuthorized: false, context: {} };
    const { context } = await getRuntime();
    await answerWithin(
      uses.note(context.store.clients, client, context.clock()),
      NOTE_PATIENCE_MS,
      undefined,
    );
    return { isAuthorized: true, context: toVerifiedContext(client) };
  };
}

async function verify(
  getRuntime: RuntimeSource,
  credential: string,
): Promise<Client | undefined | 'unverified'> {
  try {
    const { context } = await getRuntime();
    return await authenticate(context.store.clients, credential, context.clock());
  } catch (error) {
    if (error instanceof DatabaseUnavailableError) return 'unverified';
    throw error;
  }
}

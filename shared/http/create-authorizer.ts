import type {
  APIGatewayRequestAuthorizerEventV2,
  APIGatewaySimpleAuthorizerWithContextResult,
} from 'aws-lambda';
import type { Caller } from '../domain/client.ts';
import { authenticate } from '../domain/clients.ts';
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

/** A Lambda authorizer of an HTTP API, with simple responses. A wrong or revoked credential is denied. */
export function createAuthorizer(getRuntime: RuntimeSource): Authorizer {
  return async (event) => {
    const credential = readBearer(event.identitySource?.[0]);
    if (credential === undefined) return { isAuthorized: false, context: {} };
    const caller = await answerWithin(verify(getRuntime, credential), PATIENCE_MS, 'unverified' as const);
    if (caller === 'unverified') return { isAuthorized: true, context: { unverified: 'true' } };
    return caller === undefined
      ? { isAuthorized: false, context: {} }
      : { isAuthorized: true, context: toVerifiedContext(caller) };
  };
}

async function verify(
  getRuntime: RuntimeSource,
  credential: string,
): Promise<Caller | undefined | 'unverified'> {
  try {
    const { context } = await getRuntime();
    return await authenticate(context.store.clients, credential);
  } catch (error) {
    if (error instanceof DatabaseUnavailableError) return 'unverified';
    throw error;
  }
}

import { createHash, timingSafeEqual } from 'node:crypto';
import type {
  APIGatewayRequestAuthorizerEventV2,
  APIGatewaySimpleAuthorizerWithContextResult,
  Context as LambdaContext,
} from 'aws-lambda';
import { answerWithin } from '../domain/answer-within.ts';
import type { Client } from '../domain/client.ts';
import { authenticate, ClientUses } from '../domain/clients.ts';
import { DatabaseUnavailableError } from '../domain/errors.ts';
import { logger, nameInvocation } from '../runtime/logger.ts';
import type { RuntimeSource } from '../runtime/runtime.ts';
import { traceInvocation } from '../runtime/tracing.ts';
import type { AuthorizerContext } from './api-event.ts';
import { readBearer, toVerifiedContext } from './authorize-caller.ts';
import { logFailure } from './problem.ts';

export type Authorizer = (
  event: Pick<APIGatewayRequestAuthorizerEventV2, 'identitySource'> & {
    /** Absent on the local host, as the headers are. */
    readonly requestContext?: { readonly requestId: string };
    readonly headers?: APIGatewayRequestAuthorizerEventV2['headers'];
  },
  context?: Pick<LambdaContext, 'awsRequestId'>,
) => Promise<APIGatewaySimpleAuthorizerWithContextResult<AuthorizerContext | Record<string, never>>>;

/** How long the authorizer waits for the database before it leaves the verification to the function, in milliseconds. */
const PATIENCE_MS = 1000;

/**
 * And how long after it has not waited long enough, in milliseconds. The environment may have been frozen in the middle of
 * a connect, which can't be gone on with and takes more round trips than a question: with too little patience it would be
 * caught there each time.
 */
const LONG_PATIENCE_MS = 2000;

/** How long it then waits for the note of the use, which changes nothing for the caller, in milliseconds. */
const NOTE_PATIENCE_MS = 200;

/**
 * A Lambda authorizer of an HTTP API, with simple responses. A wrong, expired or revoked credential is denied.
 * @param readEdgeSecret what CloudFront shows as the second identity source where nothing else may call
 */
export function createAuthorizer(
  getRuntime: RuntimeSource,
  readEdgeSecret: () => string | undefined = () => undefined,
): Authorizer {
  const uses = new ClientUses();
  let patienceMs = PATIENCE_MS;
  const authorize: Authorizer = async (event, lambda) => {
    nameInvocation(lambda);
    const edgeSecret = readEdgeSecret();
    const credential = readBearer(event.identitySource?.[0]);
    if (credential === undefined || !isShown(edgeSecret, event.identitySource?.[1])) {
      return { isAuthorized: false, context: {} };
    }
    const late = new DatabaseUnavailableError({ cause: new Error(`No reply within ${patienceMs} ms`) });
    const client = await answerWithin(verify(getRuntime, credential), patienceMs, late);
    patienceMs = client === late ? LONG_PATIENCE_MS : PATIENCE_MS;
    if (client instanceof DatabaseUnavailableError) {
      logFailure(logger, client, { requestId: event.requestContext?.requestId });
      return { isAuthorized: true, context: { unverified: 'true' } };
    }
    if (client === undefined) return { isAuthorized: false, context: {} };
    const { context } = await getRuntime();
    await answerWithin(
      uses.note(context.store.clients, client, context.clock()),
      NOTE_PATIENCE_MS,
      undefined,
    );
    return { isAuthorized: true, context: toVerifiedContext(client) };
  };
  return (event, lambda) => {
    const describe = () => ({
      'faas.invocation_id': lambda?.awsRequestId,
      'token_orchestrator.request_id': event.requestContext?.requestId,
    });
    return traceInvocation({ name: 'authorize', headers: event.headers, describe }, () =>
      authorize(event, lambda),
    );
  };
}

/** Whether the secret was shown, where there is one; hashed, so that the time it takes tells nothing of it. */
function isShown(secret: string | undefined, shown = ''): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return secret === undefined || timingSafeEqual(digest(secret), digest(shown));
}

async function verify(
  getRuntime: RuntimeSource,
  credential: string,
): Promise<Client | undefined | DatabaseUnavailableError> {
  try {
    const { context } = await getRuntime();
    return await authenticate(context.store.clients, credential, context.clock());
  } catch (error) {
    if (error instanceof DatabaseUnavailableError) return error;
    throw error;
  }
}

import { retryMs } from './back-off.ts';
import type { Context } from './context.ts';
import { isTransient, NotFoundError, ServiceUnavailableError, ThrottledError } from './errors.ts';
import { pause } from './pause.ts';
import type { ApiRequest } from './transport.ts';

/** How often a request is repeated after failures that may pass. */
export const RETRIES = 3;

type RequestParts = Omit<ApiRequest, 'timeoutMs'>;

/** Milliseconds that the service asks to wait before the request is sent again. */
export function askedToWaitMs(error: unknown): number | undefined {
  return error instanceof ServiceUnavailableError ? error.retryAfterMs : undefined;
}

/**
 * Sends a request that does the same when it is carried out twice, again after failures that may pass.
 * @throws OrchestratorError
 */
export async function sendRepeatedly(context: Context, request: RequestParts): Promise<unknown> {
  return repeat(context, request, isTransient);
}

/** Deletes something. When the answer of an earlier try got lost, a 404 to a later one means that it was done. */
export async function sendDeletion(
  context: Context,
  request: Pick<RequestParts, 'path' | 'query' | 'signal'>,
): Promise<void> {
  let tries = 0;
  const counted: Context = {
    ...context,
    send: (parts) => {
      tries += 1;
      return context.send(parts);
    },
  };
  try {
    await sendRepeatedly(counted, { ...request, method: 'DELETE' });
  } catch (error) {
    if (!(error instanceof NotFoundError) || tries === 1) throw error;
  }
}

/** Sends a request that must not be carried out twice: again only when it certainly was not carried out. */
export async function sendOnce(context: Context, request: RequestParts): Promise<unknown> {
  return repeat(context, request, (error) => error instanceof ThrottledError);
}

async function repeat(
  context: Context,
  request: RequestParts,
  mayRepeat: (error: unknown) => boolean,
): Promise<unknown> {
  for (let retry = 0; ; retry++) {
    try {
      return await context.send({ ...request, timeoutMs: context.requestTimeoutMs });
    } catch (error) {
      if (retry === RETRIES || !mayRepeat(error)) throw error;
      await pause(context.clock, retryMs(retry, askedToWaitMs(error), context.random), request.signal);
    }
  }
}

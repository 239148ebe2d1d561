import { retryMs } from './back-off.ts';
import { pause } from './clock.ts';
import type { Context } from './context.ts';
import { isTransient, ServiceUnavailableError, ThrottledError, UnreachableError } from './errors.ts';
import type { ApiRequest } from './transport.ts';

/** How often a request is repeated after failures that may pass. */
export const RETRIES = 3;

type RequestParts = Omit<ApiRequest, 'timeoutMs'>;

/** Milliseconds that the service asks to wait before the request is sent again. */
export function askedToWaitMs(error: unknown): number | undefined {
  return error instanceof ServiceUnavailableError ? error.retryAfterMs : undefined;
}

/** Sends a request that does the same when it is carried out twice, again after failures that may pass. */
export function sendRepeatedly<Body>(context: Context, request: RequestParts): Promise<Body> {
  return repeat(context, request, isTransient);
}

/**
 * As {@link sendRepeatedly}, for a request that ends something. An error of a repeat for which `isOver` is true means
 * that an earlier try did it and its response got lost.
 * @returns undefined in that case
 */
export async function sendEnding<Body>(
  context: Context,
  request: RequestParts,
  isOver: (error: unknown) => boolean,
): Promise<Body | undefined> {
  let tries = 0;
  const send: Context['send'] = (parts) => {
    tries += 1;
    return context.send(parts);
  };
  try {
    return await sendRepeatedly<Body>({ ...context, send }, request);
  } catch (error) {
    if (tries === 1 || !isOver(error)) throw error;
    return undefined;
  }
}

/** Sends a request that must not be carried out twice: again only when it certainly was not carried out. */
export async function sendOnce<Body>(context: Context, request: RequestParts): Promise<Body> {
  try {
    return await repeat(context, request, (error) => error instanceof ThrottledError);
  } catch (error) {
    throw withUnknownOutcome(error);
  }
}

async function repeat<Body>(
  context: Context,
  request: RequestParts,
  mayRepeat: (error: unknown) => boolean,
): Promise<Body> {
  for (let retry = 0; ; retry++) {
    try {
      return (await context.send<Body>({ ...request, timeoutMs: context.requestTimeoutMs })).body;
    } catch (error) {
      if (retry === RETRIES || !mayRepeat(error)) throw error;
      await pause(context.clock, retryMs(retry, askedToWaitMs(error), context.random), request.signal);
    }
  }
}

/** The same failure, of a request that must not be sent again. */
export function withUnknownOutcome(error: unknown): unknown {
  const isUnknown = error instanceof UnreachableError || error instanceof ServiceUnavailableError;
  if (!isUnknown) return error;
  const message = `${error.message}; it is not known whether this was done: look before you send it again`;
  const { status, requestId } = error;
  const details = { status, requestId, cause: error };
  return error instanceof UnreachableError
    ? new UnreachableError(error.code, message, details)
    : new ServiceUnavailableError(error.code, message, error.retryAfterMs, details);
}

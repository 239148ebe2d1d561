import type { SendHandler } from '../../shared/http/create-send-handler.ts';
import { logger } from '../../shared/runtime/logger.ts';

/** How often it looks for events, in milliseconds. */
const EVERY_MS = 2000;

/** The longest pause after failures, and the longest that a receiver may ask for, in milliseconds. */
const LONGEST_PAUSE_MS = 300_000;
const LONGEST_WISH_MS = 3_600_000;

/**
 * Sends events now and every two seconds, never twice at once. After a failure it pauses, each time twice as long and by
 * chance up to half as long again, so that several hosts do not come back together.
 */
export function startSendTimer(send: SendHandler): { stop(): Promise<void> } {
  let failures = 0;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;

  const run = async (): Promise<void> => {
    const { failure } = await send(
      {},
      { getRemainingTimeInMillis: () => (stopped ? 0 : Number.POSITIVE_INFINITY) },
    ).catch((error: Error) => {
      logger.error('sending events failed', { error });
      return { failure: { reason: error.name, retryAfterMs: undefined, isFinal: false } };
    });
    if (failure?.isFinal) {
      logger.error('the receiver of events wants no more of them: none is sent until the next start', {
        reason: failure.reason,
      });
      return;
    }
    failures = failure === undefined ? 0 : failures + 1;
    const growing = Math.min(EVERY_MS * 2 ** failures, LONGEST_PAUSE_MS);
    const wish = Math.min(failure?.retryAfterMs ?? 0, LONGEST_WISH_MS);
    const pause = failure === undefined ? EVERY_MS : Math.max(growing, wish) * (1 + Math.random() / 2);
    if (!stopped) timer = setTimeout(start, pause).unref();
  };
  let running: Promise<void>;
  const start = (): void => {
    running = run();
  };

  start();
  return {
    stop: async () => {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}

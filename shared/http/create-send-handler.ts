import { randomUUID } from 'node:crypto';
import { type Receiver, type SendReport, sendEvents } from '../domain/send-events.ts';
import { logger } from '../runtime/logger.ts';
import type { RuntimeSource } from '../runtime/runtime.ts';
import { type ScheduledFunction, scheduledFunction } from './scheduled-function.ts';

export type SendHandler = ScheduledFunction<SendReport>;

/** No send begins when less than this is left of the function's time, in milliseconds. */
const RESERVE_MS = 20_000;

/**
 * The scheduled function that sends events to a receiver, within the function's time. Its log line carries the age of
 * the outbox; there is none where all was sent before.
 */
export function createSendHandler(getRuntime: RuntimeSource, getReceiver: () => Receiver): SendHandler {
  const owner = randomUUID();
  return scheduledFunction('send events', async (lambda) => {
    const { context } = await getRuntime();
    const report = await sendEvents(context, {
      receiver: getReceiver(),
      owner,
      hasTime: () => lambda.getRemainingTimeInMillis() > RESERVE_MS,
    });
    const isIdle = report.sent === 0 && report.oldestUnsentAgeMs === 0;
    if (!isIdle) logger[report.failure === undefined ? 'info' : 'warn']('events sent', { ...report });
    return report;
  });
}

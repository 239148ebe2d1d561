import { createHash, createHmac } from 'node:crypto';
import type { Receipt, Receiver } from '../../shared/domain/send-events.ts';

/** How long the receiver may take to answer, in milliseconds. */
const TIMEOUT_MS = 10_000;

/**
 * A receiver of HTTP requests, one per event, as Standard Webhooks (https://www.standardwebhooks.com) have it.
 * @param url its user and password are sent as basic authentication
 * @param secrets each gives a signature of its own, so that they can be rotated
 */
export function createWebhook(url: string, secrets: readonly Uint8Array[]): Receiver {
  const target = new URL(url);
  const { username, password } = target;
  target.username = '';
  target.password = '';
  const credential = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  const authorization = `Basic ${Buffer.from(credential).toString('base64')}`;
  // Without what may be secret, which may change as well: the same place goes on where it was.
  const place = createHash('sha256').update(`${target.origin}${target.pathname}`).digest('base64url');

  return {
    name: `webhook:${place}`,
    batchSize: 1,
    async send([event]) {
      if (event === undefined) return { taken: 0 };
      const body = JSON.stringify({ type: event.type, timestamp: event.at, data: event });
      // Of this attempt: a receiver refuses what is old, as something that was recorded and is played again.
      const timestamp = Math.floor(Date.now() / 1000);
      const signed = `${event.eventId}.${timestamp}.${body}`;
      const signatures = secrets.map(
        (secret) => `v1,${createHmac('sha256', secret).update(signed).digest('base64')}`,
      );
      try {
        const response = await fetch(target, {
          method: 'POST',
          redirect: 'manual',
          signal: AbortSignal.timeout(TIMEOUT_MS),
          headers: {
            'content-type': 'application/json',
            'user-agent': 'token-orchestrator',
            'webhook-id': event.eventId,
            'webhook-timestamp': String(timestamp),
            'webhook-signature': signatures.join(' '),
            ...((username !== '' || password !== '') && { authorization }),
          },
          body,
        });
        await response.body?.cancel();
        return toReceipt(response);
      } catch (error) {
        return { taken: 0, failure: { reason: reasonOf(error as Error) } };
      }
    },
  };
}

function toReceipt({ ok, status, headers }: Response): Receipt {
  if (ok) return { taken: 1 };
  const seconds = Number(headers.get('retry-after'));
  return {
    taken: 0,
    failure: {
      reason: `status ${status}`,
      ...(seconds > 0 && { retryAfterMs: seconds * 1000 }),
      ...(status === 410 && { isFinal: true }),
    },
  };
}

/** Never the message: it may have the address. */
function reasonOf({ name, cause }: Error): string {
  return (cause as NodeJS.ErrnoException | undefined)?.code ?? name;
}

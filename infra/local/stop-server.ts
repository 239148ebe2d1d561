import { once } from 'node:events';
import type { Server } from 'node:http';

/** How long running requests have to end, in milliseconds: longer than a function may take. */
const PATIENCE_MS = 15_000;

/** How often idle connections are closed, in milliseconds. */
const IDLE_CHECK_MS = 50;

/**
 * Stops the server as soon as its running requests have their responses. Node alone would keep idle connections open for
 * seconds, and wait for ever for a caller that never finishes sending: that one is cut off.
 */
export async function stopServer(server: Server, patienceMs = PATIENCE_MS): Promise<void> {
  const closed = once(server, 'close');
  server.prependListener('request', (_message, response) => response.setHeader('connection', 'close'));
  server.close();
  const idleCheck = setInterval(() => server.closeIdleConnections(), IDLE_CHECK_MS);
  const cutOff = setTimeout(() => server.closeAllConnections(), patienceMs);
  await closed;
  clearInterval(idleCheck);
  clearTimeout(cutOff);
}

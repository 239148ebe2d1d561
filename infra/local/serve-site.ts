import type { IncomingMessage, ServerResponse } from 'node:http';
import sirv from 'sirv';

/** The headers that CloudFront adds to the dashboard, HSTS excepted: this host speaks plain HTTP. */
export const SITE_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
};

/** Serves the dashboard's files. */
export function serveSite(folder: string): (message: IncomingMessage, response: ServerResponse) => void {
  const files = sirv(folder, { dev: true, etag: true });
  return (message, response) => {
    for (const [name, value] of Object.entries(SITE_HEADERS)) response.setHeader(name, value);
    if (message.method !== 'GET' && message.method !== 'HEAD') {
      response.writeHead(405, { allow: 'GET, HEAD' }).end();
      return;
    }
    files(message, response, () => {
      response.writeHead(404, { 'content-type': 'text/plain; charset=utf-8' }).end('Not found\n');
    });
  };
}

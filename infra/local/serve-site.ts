import type { IncomingMessage, ServerResponse } from 'node:http';
import sirv from 'sirv';
import { SITE_HEADERS } from '../site-headers.ts';

/** A name with the hash of its content, made by `static-site/build.ts`: the file behind it never changes. */
const HASHED = /-[A-Z0-9]{8}\.(js|css|woff2)$/;

/** Serves the dashboard's files; every path without a file extension is one of its views, and so index.html. */
export function serveSite(folder: string): (message: IncomingMessage, response: ServerResponse) => void {
  const files = sirv(folder, {
    dev: true,
    etag: true,
    setHeaders: (response, path) => {
      if (HASHED.test(path)) response.setHeader('cache-control', 'public, max-age=31536000, immutable');
    },
  });
  return (message, response) => {
    for (const [name, value] of Object.entries(SITE_HEADERS)) response.setHeader(name, value);
    if (message.method !== 'GET' && message.method !== 'HEAD') {
      response.writeHead(405, { allow: 'GET, HEAD' }).end();
      return;
    }
    // Whole files only: on a range that ends before it starts sirv throws, which would end the process.
    delete message.headers.range;
    message.url = fileOf(message.url ?? '/');
    files(message, response, () => {
      response.writeHead(404, { 'content-type': 'text/plain; charset=utf-8' }).end('Not found\n');
    });
  };
}

/** A path whose last part has no file extension is a view; `/docs` is the API's page. The same rule as in `infra/aws/show-view.js`. */
function fileOf(url: string): string {
  const path = url.split('?', 1)[0] ?? '/';
  if (path === '/docs' || path === '/docs/') return '/docs/index.html';
  return path.slice(path.lastIndexOf('/')).includes('.') ? url : '/';
}

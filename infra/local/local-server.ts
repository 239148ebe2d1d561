import { createServer, type Server } from 'node:http';
import { createGateway, type GatewayOptions } from './gateway.ts';
import type { Functions } from './load-functions.ts';
import { serveSite } from './serve-site.ts';

/** API and dashboard on one origin, as CloudFront serves them: `/v1/*` to the gateway, the rest from the site's folder. */
export function createLocalServer(
  functions: Functions,
  siteFolder: string,
  options: GatewayOptions = {},
): Server {
  const gateway = createGateway(functions, options);
  const site = serveSite(siteFolder);
  return createServer({ requestTimeout: 30_000, headersTimeout: 10_000 }, (message, response) => {
    const path = message.url ?? '/';
    if (path === '/v1' || path.startsWith('/v1/') || path.startsWith('/v1?')) void gateway(message, response);
    else site(message, response);
  });
}

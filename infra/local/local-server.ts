import { createServer, type Server, type ServerResponse } from 'node:http';
import { createGateway, type GatewayOptions } from './gateway.ts';
import type { Functions } from './load-functions.ts';
import type { PrometheusMetrics } from './prometheus-metrics.ts';
import { serveSite } from './serve-site.ts';

/**
 * API and dashboard on one origin, as CloudFront serves them: `/v1/*` to the gateway, the rest from the site's folder.
 * @param options.metrics what `/metrics` serves, to anybody who can reach this server; absent: there is no such path
 */
export function createLocalServer(
  functions: Functions,
  siteFolder: string,
  { metrics, ...options }: GatewayOptions & { metrics?: PrometheusMetrics | undefined } = {},
): Server {
  const gateway = createGateway(functions, options);
  const site = serveSite(siteFolder);
  return createServer({ requestTimeout: 30_000, headersTimeout: 10_000 }, (message, response) => {
    const path = message.url ?? '/';
    if (path === '/v1' || path.startsWith('/v1/') || path.startsWith('/v1?')) void gateway(message, response);
    else if (path === '/metrics' && metrics !== undefined) void sendMetrics(metrics, response);
    else site(message, response);
  });
}

async function sendMetrics(metrics: PrometheusMetrics, response: ServerResponse): Promise<void> {
  response.setHeader('content-type', metrics.contentType);
  response.end(await metrics.scrape());
}

import { once } from 'node:events';
import { request as httpRequest, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach } from 'vitest';
import type { GatewayOptions } from '../../infra/local/gateway.ts';
import type { Functions } from '../../infra/local/load-functions.ts';
import { createLocalServer } from '../../infra/local/local-server.ts';

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface HttpRequest {
  /** Sent as it stands: not normalised, not encoded. */
  readonly path: string;
  readonly method?: string;
  readonly headers?: Record<string, string | string[]>;
  readonly body?: string | Buffer;
}

/** One request on a connection of its own. */
export async function send(port: number, request: HttpRequest): Promise<HttpAnswer> {
  const { method = 'GET', path, headers = {}, body } = request;
  const outgoing = httpRequest({ host: '127.0.0.1', port, method, path, headers, agent: false });
  outgoing.end(body);
  const [incoming] = await once(outgoing, 'response');
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return {
    status: incoming.statusCode,
    headers: incoming.headers,
    text: Buffer.concat(chunks).toString('utf8'),
  };
}

/** Starts local servers in this process, on ports that are free; they end with the test. */
export function useLocalServer(): {
  start(functions: Functions, options?: GatewayOptions & { siteFolder?: string }): Promise<number>;
} {
  const running: Server[] = [];
  afterEach(async () => {
    for (const server of running.splice(0)) {
      server.close();
      server.closeAllConnections();
    }
  });
  return {
    start: async (functions, { siteFolder = '/nonexistent', ...options } = {}) => {
      const server = createLocalServer(functions, siteFolder, options);
      running.push(server);
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      return (server.address() as AddressInfo).port;
    },
  };
}

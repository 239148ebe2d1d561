import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { stopServer } from '../../../infra/local/stop-server.ts';

describe('stopping the local server', () => {
  const start = async () => {
    const server = createServer({ keepAliveTimeout: 0 }); // An idle connection stays until it is closed.
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    await once(socket, 'connect');
    let received = '';
    socket.on('data', (data: Buffer) => {
      received += data.toString();
    });
    return { server, socket, received: () => received };
  };
  const GET = 'GET / HTTP/1.1\r\nhost: x\r\nconnection: keep-alive\r\n\r\n';

  it('waits for a running request, then ends its connection', async () => {
    const { server, socket, received } = await start();
    socket.write(GET);
    const [, response] = (await once(server, 'request')) as [unknown, ServerResponse];
    const stopped = stopServer(server, 600_000);
    response.end('done');
    await stopped;
    if (!socket.closed) await once(socket, 'close');
    expect(received()).toContain('done');
  });

  it('answers a request that was on its way already, and tells its caller that the connection ends', async () => {
    const { server, socket, received } = await start();
    socket.write(GET + GET.slice(0, 10));
    const [, first] = (await once(server, 'request')) as [unknown, ServerResponse];
    const stopped = stopServer(server);
    first.end('first');
    server.on('request', (_message, response: ServerResponse) => response.end('second'));
    socket.write(GET.slice(10));
    await stopped;
    if (!socket.closed) await once(socket, 'close');
    expect(received()).toMatch(/first.*connection: close.*second/is);
  });

  it('cuts off a caller that never finishes sending', async () => {
    const { server, socket } = await start();
    socket.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n{');
    await once(server, 'request');
    await stopServer(server, 1);
    if (!socket.closed) await once(socket, 'close');
  });
});

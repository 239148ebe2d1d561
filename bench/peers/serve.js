import { createServer } from 'node:http';

/** The same bare HTTP server in front of every peer. `acquire`, `keepAlive`, `release`: null where there is none. */
export function serve({ acquire, keepAlive, release }) {
  const send = (response, status, body) => {
    const text = body === undefined ? '' : JSON.stringify(body);
    response.writeHead(status, {
      'content-type': 'application/json',
      ...(status !== 204 && { 'content-length': Buffer.byteLength(text) }),
    });
    response.end(text);
  };
  const handle = async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    const [, , , leaseId] = request.url.split('/');
    if (leaseId === undefined) {
      const lease = await acquire(JSON.parse(text));
      return lease === null ? send(response, 409, {}) : send(response, 201, lease);
    }
    const held = request.method === 'DELETE' ? await release(leaseId) : await keepAlive(leaseId);
    if (held === null) return send(response, 410, {});
    return request.method === 'DELETE' ? send(response, 204) : send(response, 200, held);
  };
  const server = createServer((request, response) => {
    handle(request, response).catch((error) => {
      console.error(error);
      send(response, 500, {});
    });
  });
  server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
    console.log(`listens on http://127.0.0.1:${server.address().port}`);
  });
}

// A receiver of events, that is, of webhooks as https://www.standardwebhooks.com has them; there are libraries for many
// languages that do the middle part. It prints what happened.
//   export EVENTS_WEBHOOK_SECRET="whsec_$(openssl rand -base64 32)"
//   node webhook-receiver.js
//   EVENTS_WEBHOOK_URL=http://127.0.0.1:4000/ npm start                    (with the same secret)
import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';

const secret = Buffer.from((process.env.EVENTS_WEBHOOK_SECRET ?? '').replace('whsec_', ''), 'base64');
if (secret.length < 24) throw new Error('Set EVENTS_WEBHOOK_SECRET to the secret that the service has');

/** Events may come again: these are known. A real receiver keeps them where it keeps what it does with them. */
const seen = new Set();

const server = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks).toString(); // As it came: the signature is of these very bytes.
  const id = String(request.headers['webhook-id']);
  const timestamp = String(request.headers['webhook-timestamp']);

  const expected = createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest();
  // Several signatures while a secret is being rotated: one that fits is enough.
  const isGenuine = String(request.headers['webhook-signature'])
    .split(' ')
    .filter((signature) => signature.startsWith('v1,'))
    .map((signature) => Buffer.from(signature.slice(3), 'base64'))
    .some((signature) => signature.length === expected.length && timingSafeEqual(signature, expected));
  const isRecent = Math.abs(Date.now() / 1000 - Number(timestamp)) < 300;
  if (!isGenuine || !isRecent) {
    response.writeHead(401).end();
    return;
  }

  if (!seen.has(id)) {
    const { type, timestamp: at, data } = JSON.parse(body);
    console.log(`${at} ${type} ${data.pool ?? ''} ${data.keyId ?? ''}`.trim());
    seen.add(id);
  }
  response.writeHead(204).end(); // Only now: what is not answered with 2xx is sent again.
});
server.listen(Number(process.env.PORT ?? 4000), '127.0.0.1', () => {
  const address = server.address();
  console.log(`listening on port ${typeof address === 'object' ? address?.port : address}`);
});

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createWebhook } from '../../../infra/local/webhook.ts';
import type { Event, ListEventsResponse } from '../../../shared/contract/events.ts';
import { eventually } from '../../support/eventually.ts';
import { useHostProcesses } from '../../support/host-process.ts';

const EVENT: Event = {
  eventId: 'event_5hVbnkXyG1Nv0eWcXl4Zzw',
  type: 'lease.lapsed',
  at: '2026-11-22T20:44:18.231Z',
  pool: 'licences',
  keyId: 'key_1',
  holder: 'büro/7',
};

const makeSecret = (bytes = 32): string => `whsec_${randomBytes(bytes).toString('base64')}`;
const bytesOf = (secret: string): Uint8Array => Buffer.from(secret.replace('whsec_', ''), 'base64');

interface Received {
  readonly message: IncomingMessage;
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** Receivers in this process, on ports that are free; they end with the test. */
function useReceiver() {
  const stops: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop();
  });
  return async (
    answer: (response: ServerResponse, received: Received) => void = (response) => void response.end(),
    port = 0,
  ) => {
    const received: Received[] = [];
    const server = createServer(async (message, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of message) chunks.push(chunk as Buffer);
      const headers = message.headers as Record<string, string>;
      received.push({ message, headers, body: Buffer.concat(chunks).toString() });
      answer(response, received.at(-1) as Received);
    });
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    const stop = async (): Promise<void> => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    };
    stops.push(stop);
    const { port: given } = server.address() as AddressInfo;
    return { received, stop, port: given, url: `http://127.0.0.1:${given}/events` };
  };
}

const receive = useReceiver();

describe('a webhook', () => {
  it('is signed as Standard Webhooks say: their own library takes it, and nothing else', async () => {
    const secret = makeSecret();
    const { received, url } = await receive();
    expect(await createWebhook(url, [bytesOf(secret)]).send([EVENT])).toEqual({ taken: 1 });
    const [{ message, headers, body }] = received as [Received];
    expect(message).toMatchObject({ method: 'POST', url: '/events' });
    expect(headers).toMatchObject({ 'content-type': 'application/json', 'webhook-id': EVENT.eventId });
    expect(new Webhook(secret).verify(body, headers)).toEqual({
      type: 'lease.lapsed',
      timestamp: EVENT.at,
      data: EVENT,
    });
    expect(() => new Webhook(secret).verify(body.replace('key_1', 'key_2'), headers)).toThrow();
    expect(() => new Webhook(secret).verify(body, { ...headers, 'webhook-id': 'event_2' })).toThrow();
    expect(() => new Webhook(makeSecret()).verify(body, headers)).toThrow();
  });

  it('has a signature of each secret, while they are rotated', async () => {
    const secrets = [makeSecret(24), makeSecret(64)];
    const { received, url } = await receive();
    await createWebhook(url, secrets.map(bytesOf)).send([EVENT]);
    const [{ headers, body }] = received as [Received];
    expect(headers['webhook-signature']).toMatch(/^v1,\S+ v1,\S+$/);
    for (const secret of secrets)
      expect(new Webhook(secret).verify(body, headers)).toMatchObject({ data: EVENT });
  });

  it('keeps its id when it is repeated, but not its time', async () => {
    const secret = makeSecret();
    const { received, url } = await receive();
    const webhook = createWebhook(url, [bytesOf(secret)]);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() });
    await webhook.send([EVENT]);
    vi.advanceTimersByTime(60_000);
    await webhook.send([EVENT]);
    const [first, second] = received as [Received, Received];
    expect(second.headers['webhook-id']).toBe(first.headers['webhook-id']);
    expect(second.body).toBe(first.body);
    expect(Number(second.headers['webhook-timestamp']) - Number(first.headers['webhook-timestamp'])).toBe(60);
    expect(new Webhook(secret).verify(second.body, second.headers)).toMatchObject({ data: EVENT });
    vi.useRealTimers();
  });

  it.each([200, 201, 204, 299])('is taken with %s', async (status) => {
    const { url } = await receive((response) => response.writeHead(status).end('thanks'));
    expect(await createWebhook(url, [bytesOf(makeSecret())]).send([EVENT])).toEqual({ taken: 1 });
  });

  it.each([
    [400, {}, {}],
    [500, {}, {}],
    [429, { 'retry-after': '120' }, { retryAfterMs: 120_000 }],
    [503, { 'retry-after': 'Wed, 21 Oct 2026 07:28:00 GMT' }, {}],
    [410, {}, { isFinal: true }],
  ])('is not taken with %s', async (status, headers, failure) => {
    const { url } = await receive((response) => response.writeHead(status, headers).end('no'));
    expect(await createWebhook(url, [bytesOf(makeSecret())]).send([EVENT])).toEqual({
      taken: 0,
      failure: { reason: `status ${status}`, ...failure },
    });
  });

  it('follows no redirect', async () => {
    const other = await receive();
    const { url } = await receive((response) => response.writeHead(307, { location: other.url }).end());
    expect(await createWebhook(url, [bytesOf(makeSecret())]).send([EVENT])).toEqual({
      taken: 0,
      failure: { reason: 'status 307' },
    });
    expect(other.received).toEqual([]);
  });

  it('gives up on a receiver that does not answer', async () => {
    const timeout = vi.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => {
      expect(ms).toBe(10_000);
      return AbortSignal.abort(new DOMException('too long', 'TimeoutError'));
    });
    const { url } = await receive(() => undefined);
    expect(await createWebhook(url, [bytesOf(makeSecret())]).send([EVENT])).toEqual({
      taken: 0,
      failure: { reason: 'TimeoutError' },
    });
    timeout.mockRestore();
  });

  it('names the error of a receiver that is not there, without its address', async () => {
    const { url, stop } = await receive();
    await stop();
    expect(await createWebhook(url, [bytesOf(makeSecret())]).send([EVENT])).toEqual({
      taken: 0,
      failure: { reason: 'ECONNREFUSED' },
    });
  });

  it('sends user, password and query of its address to the receiver, and goes by none of them', async () => {
    const { received, url } = await receive();
    const secrets = [bytesOf(makeSecret())];
    const whole = url.replace('http://', 'http://us%65r:p%40ss@');
    const webhook = createWebhook(`${whole}?token=hunter2`, secrets);
    await webhook.send([EVENT]);
    expect(received[0]?.message.url).toBe('/events?token=hunter2');
    expect(received[0]?.headers.authorization).toBe(`Basic ${Buffer.from('user:p@ss').toString('base64')}`);
    expect(webhook.name).toMatch(/^webhook:[\w-]{43}$/);
    expect(createWebhook(url, secrets).name).toBe(webhook.name);
    expect(createWebhook(`${url}/others`, secrets).name).not.toBe(webhook.name);
  });
});

describe('local hosts with a webhook', { timeout: 120_000 }, () => {
  const hosts = useHostProcesses();

  it('send each event once, in order, from two hosts on one store; what happened while the receiver was down, later', async () => {
    const secret = makeSecret();
    const first = await receive();
    const folder = await hosts.makeFolder();
    const BOOTSTRAP_CREDENTIAL = `client_boot.${randomBytes(32).toString('hex')}`;
    const environment = {
      BOOTSTRAP_CREDENTIAL,
      EVENTS_WEBHOOK_URL: first.url.replace('http://', 'http://user:hunter2@'),
      EVENTS_WEBHOOK_SECRET: `${secret},${makeSecret()}`,
      LOG_LEVEL: 'DEBUG',
    };
    const started = [await hosts.startHost(folder, environment), await hosts.startHost(folder, environment)];
    const [one, two] = started as [(typeof started)[0], (typeof started)[0]];
    const change = async (pool: string, host = one) =>
      expect((await host.call('PUT', `/v1/pools/${pool}`, { body: {} })).status).toBe(201);
    const poolsOf = (received: readonly Received[]) =>
      received.map(({ body, headers }) => {
        const { data } = new Webhook(secret).verify(body, headers) as { data: Event };
        return data.pool;
      });

    await change('a');
    await change('b', two);
    await eventually(async () => first.received.length >= 2);
    await first.stop();
    await change('c', two);
    await eventually(async () => started.some(({ program }) => program.stderr.includes('ECONNREFUSED')));
    await change('d');
    const second = await receive(undefined, first.port);
    await eventually(async () => second.received.length >= 2);
    await change('e', two);
    await eventually(async () => second.received.length >= 3);
    expect(poolsOf([...first.received, ...second.received])).toEqual(['a', 'b', 'c', 'd', 'e']);

    const { body } = await one.call<ListEventsResponse>('GET', '/v1/events?type=pool.changed');
    const sent = [...first.received, ...second.received].map(({ body: text }) => JSON.parse(text).data);
    expect(body.events).toEqual(sent);
    for (const { program } of started) {
      program.kill('SIGTERM');
      const { code, stdout, stderr } = await program.ended;
      expect(code).toBe(0);
      expect(stdout + stderr).not.toMatch(/hunter2|whsec/);
      expect(stdout + stderr).not.toContain(secret.slice(8, 30));
    }
  });

  it('send nothing more to a receiver that is gone, and go on serving', async () => {
    const gone = await receive((response) => response.writeHead(410).end());
    const host = await hosts.startHost(await hosts.makeFolder(), {
      EVENTS_WEBHOOK_URL: gone.url,
      EVENTS_WEBHOOK_SECRET: makeSecret(),
    });
    await host.call('POST', '/v1/keys', { body: { count: 1 } });
    await eventually(async () => /none is sent until the next start/.test(host.program.stderr));
    expect(gone.received).toHaveLength(1);
    expect(await host.call('POST', '/v1/leases')).toMatchObject({ status: 201 });
  });
});

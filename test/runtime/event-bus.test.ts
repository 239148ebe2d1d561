import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Event } from '../../shared/contract/events.ts';
import { ConfigError } from '../../shared/runtime/config.ts';
import { createEventBus, lambdaEventBus } from '../../shared/runtime/event-bus.ts';

const ARN = 'arn:aws:events:eu-central-1:111122223333:event-bus/TokenOrchestrator';

interface Entry {
  readonly Detail: string;
  readonly [name: string]: unknown;
}

function makeEvents(count: number): Event[] {
  return Array.from({ length: count }, (_, index) => ({
    eventId: `event_${index}`,
    type: 'lease.lapsed',
    at: '2026-11-22T20:44:18.231Z',
    pool: 'licences',
    keyId: `key_${index}`,
  }));
}

describe('the event bus', () => {
  /** Stands for EventBridge, over HTTP as the SDK speaks to it. */
  let service: Server;
  /** By the place of an entry in its request; undefined: it is taken. */
  let refuse: (place: number) => string | undefined;
  let status: number;
  let asked: { target: unknown; entries: Entry[] }[];

  beforeEach(async () => {
    asked = [];
    status = 200;
    refuse = () => undefined;
    service = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const { Entries: entries } = JSON.parse(Buffer.concat(chunks).toString()) as { Entries: Entry[] };
      asked.push({ target: request.headers['x-amz-target'], entries });
      const results = entries.map((_, place) => {
        const ErrorCode = refuse(place);
        return ErrorCode === undefined ? { EventId: `id-${place}` } : { ErrorCode, ErrorMessage: 'no' };
      });
      const answer =
        status === 200
          ? { FailedEntryCount: results.filter((one) => 'ErrorCode' in one).length, Entries: results }
          : { __type: 'AccessDeniedException', message: 'not for this role' };
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' });
      response.end(JSON.stringify(answer));
    });
    await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
    const { port } = service.address() as AddressInfo;
    vi.stubEnv('AWS_ENDPOINT_URL_EVENTBRIDGE', `http://127.0.0.1:${port}`);
    vi.stubEnv('AWS_REGION', 'eu-central-1');
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
  });

  afterEach(async () => {
    vi.unstubAllEnvs();
    service.closeAllConnections();
    await new Promise((resolve) => service.close(resolve));
  });

  it('gets the events as the API shows them, with what rules go by', async () => {
    const events = makeEvents(2);
    expect(await createEventBus(ARN).send(events)).toEqual({ taken: 2 });
    expect(asked).toEqual([
      {
        target: 'AWSEvents.PutEvents',
        entries: events.map((event) => ({
          EventBusName: ARN,
          Source: 'token-orchestrator',
          DetailType: 'lease.lapsed',
          Time: Date.parse(event.at) / 1000,
          Detail: expect.any(String),
        })),
      },
    ]);
    expect(asked[0]?.entries.map(({ Detail }) => JSON.parse(Detail))).toEqual(events);
  });

  it('has taken what comes before the first entry that was refused, however many after it were taken', async () => {
    refuse = (place) => (place === 3 || place === 5 ? 'ThrottlingException' : undefined);
    const sent = await createEventBus(ARN).send(makeEvents(10));
    expect(sent).toEqual({ taken: 3, failure: { reason: 'ThrottlingException' } });
    refuse = (place) => (place === 0 ? 'InternalFailure' : undefined);
    expect(await createEventBus(ARN).send(makeEvents(10))).toEqual({
      taken: 0,
      failure: { reason: 'InternalFailure' },
    });
  });

  it('has taken nothing when the call fails, and names the error', async () => {
    status = 400;
    const bus = createEventBus(ARN);
    expect(await bus.send(makeEvents(3))).toEqual({
      taken: 0,
      failure: { reason: 'AccessDeniedException' },
    });
    service.closeAllConnections();
    await new Promise((resolve) => service.close(resolve));
    expect(await bus.send(makeEvents(3))).toMatchObject({
      taken: 0,
      failure: { reason: expect.any(String) },
    });
    await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
  });

  it('fits ten events as large as they get into what PutEvents takes', async () => {
    const [event] = makeEvents(1);
    const largest = {
      ...event,
      type: 'client.secret_added',
      eventId: 'e'.repeat(64),
      pool: 'p'.repeat(63),
      keyId: 'k'.repeat(64),
      clientId: 'c'.repeat(64),
      by: 'c'.repeat(64),
      holder: '𝄞'.repeat(200),
      fencingToken: Number.MAX_SAFE_INTEGER,
      count: 1000,
    } as Event;
    await createEventBus(ARN).send(Array.from({ length: 10 }, () => largest));
    expect(Buffer.byteLength(JSON.stringify(asked[0]?.entries))).toBeLessThan(256 * 1024);
  });

  it('of a function is the one that its environment names', async () => {
    expect(() => lambdaEventBus()).toThrow(new ConfigError('EVENT_BUS_ARN is missing'));
    vi.stubEnv('EVENT_BUS_ARN', 'TokenOrchestrator');
    expect(() => lambdaEventBus()).toThrow('EVENT_BUS_ARN must be the ARN of an event bus');
    vi.stubEnv('EVENT_BUS_ARN', ARN);
    expect(lambdaEventBus()).toMatchObject({ name: ARN, batchSize: 10 });
    expect(lambdaEventBus()).toBe(lambdaEventBus());
  });
});

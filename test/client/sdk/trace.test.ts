import { context, propagation, trace } from '@opentelemetry/api';
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import { afterEach, describe, expect, it } from 'vitest';
import { type ClientOptions, createClient } from '../../../client/sdk/create-client.ts';
import { useTestApi } from '../../support/test-api.ts';
import { CREDENTIAL } from '../support/scripted-service.ts';

const TRACEPARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

describe('the trace that a request belongs to', () => {
  afterEach(() => {
    for (const api of [context, propagation, trace]) api.disable();
  });

  /** The headers of one request of a client with these options. */
  async function headersOf(options: Pick<ClientOptions, 'traceparent'> = {}) {
    const sent: Record<string, string>[] = [];
    const fetch: ClientOptions['fetch'] = async (_url, { headers }) => {
      sent.push(headers);
      return { ok: true, status: 200, headers: new Headers(), text: async () => '{}' };
    };
    const client = createClient({ url: 'http://127.0.0.1', credential: CREDENTIAL, fetch, ...options });
    await client.me();
    expect(sent).toHaveLength(1);
    return sent[0] as Record<string, string>;
  }

  it('is the one that the program names, for good or at the moment', async () => {
    expect(await headersOf({ traceparent: TRACEPARENT })).toMatchObject({ traceparent: TRACEPARENT });
    expect(await headersOf({ traceparent: () => TRACEPARENT })).toMatchObject({ traceparent: TRACEPARENT });
  });

  it('is that of the active span of OpenTelemetry, and nothing else of what that would send', async () => {
    const provider = new NodeTracerProvider();
    provider.register();
    const baggage = propagation.createBaggage({ user: { value: 'somebody' } });
    await context.with(propagation.setBaggage(context.active(), baggage), () =>
      trace.getTracer('test').startActiveSpan('work', async (span) => {
        const { traceId, spanId } = span.spanContext();
        const headers = await headersOf();
        expect(headers.traceparent).toBe(`00-${traceId}-${spanId}-01`);
        expect(headers).not.toHaveProperty('baggage');
        expect(await headersOf({ traceparent: TRACEPARENT })).toMatchObject({ traceparent: TRACEPARENT });
        span.end();
      }),
    );
    expect(await headersOf()).not.toHaveProperty('traceparent');
    await provider.shutdown();
  });

  it.each<[string, ClientOptions['traceparent']]>([
    ['there is none', undefined],
    ['there is none at the moment', () => undefined],
    ['it is malformed', 'a trace'],
    ['it would be another header as well', `${TRACEPARENT}\r\nx-other: 1`],
    [
      'telling it fails',
      () => {
        throw new Error('no trace');
      },
    ],
  ])('is none where %s', async (_, traceparent) => {
    expect(await headersOf({ traceparent })).not.toHaveProperty('traceparent');
  });
});

describe('a trace of the SDK', () => {
  const api = useTestApi();

  it('is in the log of the service', async () => {
    const fetch: ClientOptions['fetch'] = async (_url, { headers }) => {
      const { status, body } = await api.call('GET', '/v1/me', { headers });
      return { ok: true, status, headers: new Headers(), text: async () => JSON.stringify(body) };
    };
    await createClient({
      url: 'http://127.0.0.1',
      credential: CREDENTIAL,
      fetch,
      traceparent: TRACEPARENT,
    }).me();
    expect(api.logged()).toContain('"traceId":"4bf92f3577b34da6a3ce929d0e0e4736"');
  });
});

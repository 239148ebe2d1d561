import type { Context as LambdaContext } from 'aws-lambda';
import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import type { ApiResponse } from '../../shared/http/api-event.ts';
import { createMongoStore } from '../../shared/store/mongo/mongo-store.ts';
import { apiEvent } from '../infra/bundle/support/api-event.ts';
import { type CapturedLog, captureLog } from '../support/captured-log.ts';
import { describeWithMongoDb } from '../support/mongodb.ts';
import { type OtlpReceiver, type ReceivedSpan, startOtlpReceiver } from '../support/otlp-receiver.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const CALLER = '00f067aa0ba902b7';
const XRAY = 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1';

describeWithMongoDb('tracing', (database) => {
  let log: CapturedLog;
  let receiver: OtlpReceiver;

  beforeEach(async () => {
    log = captureLog();
    vi.resetModules(); // As in a new execution environment.
    vi.stubEnv('MONGODB_URI', database.uri);
    vi.stubEnv('AWS_LAMBDA_FUNCTION_NAME', 'a-function');
    receiver = await startOtlpReceiver();
    vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', receiver.url);
    const store = createMongoStore({ uri: database.uri });
    await store.prepare(Date.now());
    await store.close();
  });
  afterEach(async () => {
    const { lambdaRuntime } = await import('../../shared/runtime/runtime.ts');
    await (await lambdaRuntime()).context.store.close();
    await receiver.close();
    log.stop();
    vi.unstubAllEnvs();
  });

  /** Invokes a function, as Lambda does. */
  async function invoke(name: string, event: object): Promise<ApiResponse> {
    const { handler } = await import(`../../functions/${name}.ts`);
    const lambda = { awsRequestId: 'invocation-1', getRemainingTimeInMillis: () => 20_000 };
    return handler(event, lambda as LambdaContext);
  }
  const event = (
    method: string,
    path: string,
    options: { body?: object; headers?: object; id?: object } = {},
  ) => {
    const given = apiEvent(method, path, options.id as Record<string, string>, options.body);
    return { ...given, headers: { ...given.headers, ...options.headers } };
  };
  const named = (name: string): ReceivedSpan[] => receiver.spans.filter((span) => span.name === name);
  const below = ({ spanId }: ReceivedSpan): string[] =>
    receiver.spans.filter(({ parentSpanId }) => parentSpanId === spanId).map(({ name }) => name);

  it('sends a request, and below it the commands it made, before its function may be frozen', async () => {
    vi.stubEnv('OTEL_SERVICE_NAME', 'the-stack');
    vi.stubEnv('OTEL_RESOURCE_ATTRIBUTES', 'faas.name=acquire-lease');
    await invoke('create-keys', event('POST', '/v1/keys', { body: { count: 1 } }));
    receiver.spans.length = 0;
    const headers = { traceparent: `00-${TRACE}-${CALLER}-01` };
    const acquired = await invoke('acquire-lease', event('POST', '/v1/leases', { body: {}, headers }));
    expect(acquired.statusCode).toBe(201);

    const [request] = named('POST /v1/leases') as [ReceivedSpan];
    expect(request).toMatchObject({
      traceId: TRACE,
      parentSpanId: CALLER,
      resource: { 'service.name': 'the-stack', 'faas.name': 'acquire-lease' },
    });
    expect(request.attributes).toEqual({
      'http.request.method': 'POST',
      'http.route': '/v1/leases',
      'http.response.status_code': 201,
      'faas.invocation_id': 'invocation-1',
      'token_orchestrator.pool': 'default',
      'token_orchestrator.request_id': 'request-1',
    });
    const [claim] = named('findAndModify keys') as [ReceivedSpan];
    expect(claim).toMatchObject({ traceId: TRACE, parentSpanId: request.spanId });
    expect(claim.attributes).toEqual({
      'db.system.name': 'mongodb',
      'db.namespace': expect.any(String),
      'db.operation.name': 'findAndModify',
      'db.collection.name': 'keys',
    });
    expect(below(request)).toHaveLength(receiver.spans.length - 1);
  });

  it('tells a refusal by its code, and not what was asked for', async () => {
    await invoke('get-pool', event('GET', '/v1/pools/{pool}', { id: { pool: 'made-up' } }));
    const [refused] = named('GET /v1/pools/{pool}') as [ReceivedSpan];
    expect(refused.attributes).toMatchObject({
      'http.response.status_code': 404,
      'error.type': 'pool_not_found',
    });
    expect(refused.status.code).toBe(0);
    expect(receiver.text).not.toContain('made-up');
  });

  it('tells a failed command by its code, and neither the text of the error nor what was sent', async () => {
    const { MongoClient } = await import('mongodb');
    const { traceInvocation, loadTracing } = await import('../../shared/runtime/tracing.ts');
    const client = new MongoClient(database.uri, { monitorCommands: true });
    (await loadTracing())?.watch(client);
    const collection = client.db().collection<{ _id: string }>('planted');
    const write = (name: string, work: () => Promise<unknown>) =>
      traceInvocation({ name, describe: () => ({}) }, work).catch(() => undefined);
    await collection.insertOne({ _id: 'Sk-planted' }); // For nobody: no span.
    await write('a duplicate', () => collection.insertOne({ _id: 'Sk-planted' }));
    await write('no command', () => client.db().command({ noSuch: 'Sk-planted' }));
    await client.close();

    expect(named('insert planted')).toMatchObject([
      { attributes: { 'db.response.status_code': '11000' }, status: { code: 2 } },
    ]);
    expect(named('a duplicate')).toMatchObject([
      { attributes: { 'error.type': 'MongoServerError' }, status: { code: 2 } },
    ]);
    const attributes = { 'db.response.status_code': '59', 'error.type': 'MongoServerError' };
    expect(receiver.spans).toContainEqual(
      expect.objectContaining({ attributes: expect.objectContaining(attributes) }),
    );
    expect(receiver.text).not.toContain('Sk-planted');
  });

  it('hangs below Lambda’s own segment where X-Ray is asked for, and below the caller’s before that', async () => {
    vi.stubEnv('_X_AMZN_TRACE_ID', XRAY);
    vi.stubEnv('OTEL_PROPAGATORS', 'xray,tracecontext');
    const traced = { headers: { traceparent: `00-${TRACE}-${CALLER}-01` } };
    for (const options of [{}, traced]) await invoke('get-me', event('GET', '/v1/me', options));
    expect(named('GET /v1/me')).toMatchObject([
      { traceId: '5759e988bd862e3fe1be46a994272793', parentSpanId: '53995c3f42cd8ad8' },
      { traceId: TRACE, parentSpanId: CALLER },
    ]);
  });

  it('sends nothing that the caller, or the share, leaves out; nor a segment of X-Ray’s that nobody asked for', async () => {
    vi.stubEnv('_X_AMZN_TRACE_ID', XRAY.replace('Sampled=1', 'Sampled=0'));
    const unsampled = { headers: { traceparent: `00-${TRACE}-${CALLER}-00` } };
    for (const options of [unsampled, {}]) await invoke('get-me', event('GET', '/v1/me', options));
    expect(named('GET /v1/me')).toHaveLength(1);
    vi.resetModules();
    vi.stubEnv('OTEL_TRACES_SAMPLER', 'parentbased_traceidratio');
    vi.stubEnv('OTEL_TRACES_SAMPLER_ARG', '0');
    await invoke('get-me', event('GET', '/v1/me'));
    expect(named('GET /v1/me')).toHaveLength(1);
  });

  it('has spans of the authorizer, of the sweep and of what no route matches', async () => {
    const identitySource = [`Bearer client_nobody.${'x'.repeat(43)}`];
    const traceparent = `00-${TRACE}-${CALLER}-01`;
    const given = { identitySource, headers: { traceparent }, requestContext: { requestId: 'request-2' } };
    expect(await invoke('authorize', given)).toMatchObject({ isAuthorized: false });
    await invoke('expire-leases', {});
    await invoke('answer-unmatched', { ...event('GET', '/v1/nothing'), routeKey: '$default' });
    const [authorization] = named('authorize') as [ReceivedSpan];
    expect(authorization).toMatchObject({
      traceId: TRACE,
      attributes: { 'token_orchestrator.request_id': 'request-2' },
    });
    expect(below(authorization)).toContain('find clients');
    expect(below(named('sweep')[0] as ReceivedSpan)).toContain('find pools');
    expect(named('$default')).toMatchObject([{ attributes: { 'http.response.status_code': 404 } }]);
    expect(receiver.text).not.toContain('xxxx');
  });

  it('costs no request an error where its receiver is away, and says so once', async () => {
    vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', 'http://127.0.0.1:1');
    vi.stubEnv('OTEL_BSP_EXPORT_TIMEOUT', '100');
    for (let call = 0; call < 3; call += 1) {
      expect(await invoke('get-me', event('GET', '/v1/me'))).toMatchObject({ statusCode: 200 });
      await vi.waitFor(() => expect(log.text()).toContain('traces not sent'));
    }
    expect(log.text().match(/traces not sent/g)).toHaveLength(1);
  });

  it('keeps no response for a receiver that reads and never answers', async () => {
    const silent = await startOtlpReceiver({ isSilent: true });
    onTestFinished(silent.close);
    vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', silent.url);
    // To wait for it would outlast this test.
    vi.stubEnv('OTEL_EXPORTER_OTLP_TIMEOUT', '600000');
    vi.stubEnv('OTEL_BSP_EXPORT_TIMEOUT', '600000');
    for (let call = 0; call < 3; call += 1) {
      expect(await invoke('get-me', event('GET', '/v1/me'))).toMatchObject({ statusCode: 200 });
    }
    expect(silent.text).toContain('GET /v1/me');
  });

  it('is not even loaded where nothing says where to send spans, or where it is switched off', async () => {
    const { loadTracing } = await import('../../shared/runtime/tracing.ts');
    expect(await loadTracing({})).toBeUndefined();
    const OTEL_EXPORTER_OTLP_ENDPOINT = receiver.url;
    expect(await loadTracing({ OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_SDK_DISABLED: 'true' })).toBeUndefined();
  });
});

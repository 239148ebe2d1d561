import { AsyncLocalStorage } from 'node:async_hooks';
import {
  type Context,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type TextMapGetter,
  trace,
} from '@opentelemetry/api';
import { CompositePropagator, setGlobalErrorHandler, W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { AWSXRAY_TRACE_ID_HEADER, AWSXRayPropagator } from '@opentelemetry/propagator-aws-xray';
import { detectResources, envDetector } from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import type { MongoClient } from 'mongodb';
import { answerWithin } from '../domain/answer-within.ts';
import type { Invocation, Tracing } from './tracing.ts';

/** How long a response waits for its spans to be taken, in milliseconds: as soon as it is given, the environment is frozen. */
const FLUSH_PATIENCE_MS = 200;

/** So long after a flush that took longer no response waits for one, in milliseconds. */
const FLUSH_PAUSE_MS = 30_000;

/** Whose first field is the name of a collection, and nothing that a caller sent. */
const COLLECTION_COMMANDS: ReadonlySet<string> = new Set([
  'aggregate',
  'createIndexes',
  'delete',
  'find',
  'findAndModify',
  'insert',
  'update',
]);

type Carrier = Readonly<Record<string, string | undefined>>;

const getter: TextMapGetter<Carrier> = {
  keys: (carrier) => Object.keys(carrier),
  get: (carrier, name) => carrier[name],
};

/**
 * Spans of OpenTelemetry, sent by OTLP over HTTP. Where to, how often and as which service, its own variables say
 * (`OTEL_EXPORTER_OTLP_*`, `OTEL_TRACES_SAMPLER`, `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`). Nothing is registered
 * for the process as a whole, and commands are told by the driver's own events: no instrumentation patches a module.
 * @param onFailure is told once that spans were not taken, by what kind of error; its text may hold what was sent
 */
export function startTracing(onFailure: (kind: string) => void): Tracing {
  const active = new AsyncLocalStorage<Span>();
  const processor = new BatchSpanProcessor(new OTLPTraceExporter());
  const provider = new BasicTracerProvider({
    resource: detectResources({ detectors: [envDetector] }),
    spanProcessors: [processor],
  });
  const tracer = provider.getTracer('token-orchestrator');
  const propagator = new CompositePropagator({
    propagators: [...(readsXray() ? [new AWSXRayPropagator()] : []), new W3CTraceContextPropagator()],
  });
  const isFrozenBetween = process.env.AWS_LAMBDA_FUNCTION_NAME !== undefined;
  let hasFailed = false;
  let lateAt = Number.NEGATIVE_INFINITY;

  const fail = (error: unknown): void => {
    if (!hasFailed) onFailure(error instanceof Error ? error.name : typeof error);
    hasFailed = true;
  };
  setGlobalErrorHandler(fail);

  async function flush(): Promise<void> {
    const flushed = processor.forceFlush().catch(fail);
    if (Date.now() - lateAt < FLUSH_PAUSE_MS) return;
    if ((await answerWithin(flushed, FLUSH_PATIENCE_MS, 'late')) === 'late') lateAt = Date.now();
  }

  return {
    async trace(invocation, work) {
      const span = tracer.startSpan(
        invocation.name,
        { kind: SpanKind.SERVER },
        parentOf(propagator, invocation),
      );
      try {
        return await active.run(span, work);
      } catch (error) {
        span.setAttribute('error.type', (error as Error).name).setStatus({ code: SpanStatusCode.ERROR });
        throw error;
      } finally {
        const attributes = invocation.describe();
        span.setAttributes(attributes);
        if (Number(attributes['http.response.status_code']) >= 500) {
          span.setStatus({ code: SpanStatusCode.ERROR });
        }
        span.end();
        if (isFrozenBetween) await flush();
      }
    },

    watch(client: MongoClient) {
      const spans = new Map<number, Span>();
      const end = (requestId: number, code?: unknown, type?: string): void => {
        const span = spans.get(requestId);
        spans.delete(requestId);
        if (code !== undefined || type !== undefined) span?.setStatus({ code: SpanStatusCode.ERROR });
        if (code !== undefined) span?.setAttribute('db.response.status_code', String(code));
        if (type !== undefined) span?.setAttribute('error.type', type);
        span?.end();
      };
      client.on('commandStarted', ({ requestId, commandName, command, databaseName }) => {
        const parent = active.getStore();
        if (parent === undefined) return;
        const collection = COLLECTION_COMMANDS.has(commandName) ? String(command[commandName]) : undefined;
        const name = collection === undefined ? commandName : `${commandName} ${collection}`;
        const attributes = {
          'db.system.name': 'mongodb',
          'db.namespace': databaseName,
          'db.operation.name': commandName,
          'db.collection.name': collection,
        };
        const context = trace.setSpan(ROOT_CONTEXT, parent);
        spans.set(requestId, tracer.startSpan(name, { kind: SpanKind.CLIENT, attributes }, context));
      });
      client.on('commandSucceeded', ({ requestId, reply }) => {
        const { writeErrors, writeConcernError } = (reply ?? {}) as Refusals;
        end(requestId, (writeErrors?.[0] ?? writeConcernError)?.code);
      });
      client.on('commandFailed', ({ requestId, failure }) => {
        end(requestId, (failure as { code?: unknown }).code, failure.name);
      });
    },

    async end() {
      await provider.shutdown().catch(fail);
    },
  };
}

/** What a reply may carry although the command as a whole was carried out. */
interface Refusals {
  readonly writeErrors?: readonly { readonly code?: unknown }[];
  readonly writeConcernError?: { readonly code?: unknown };
}

/**
 * Only where it is asked for, as OpenTelemetry's other implementations are: a function whose own tracing is off has X-Ray's
 * variable all the same, and it says that nothing is to be sampled.
 */
function readsXray({ OTEL_PROPAGATORS = '' } = process.env): boolean {
  return /\bxray\b/.test(OTEL_PROPAGATORS);
}

/** The span that the caller sent, otherwise the one that Lambda made for this invocation. */
function parentOf(propagator: CompositePropagator, { headers }: Invocation): Context {
  const xray = process.env._X_AMZN_TRACE_ID;
  return propagator.extract(ROOT_CONTEXT, { ...headers, [AWSXRAY_TRACE_ID_HEADER]: xray }, getter);
}

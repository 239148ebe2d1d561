import type { MongoClient } from 'mongodb';
import { logger } from './logger.ts';

/** What is told of an invocation by its span. No value, no credential, no lease id, no key. */
export type SpanAttributes = Record<string, string | number | undefined>;

export interface Invocation {
  /** A route, or what a function without one does. */
  readonly name: string;
  /** Those of the request, where there was one; the caller's trace may be among them. */
  readonly headers?: Readonly<Record<string, string | undefined>> | undefined;
  /** What is known once it has ended. */
  describe(): SpanAttributes;
}

export interface Tracing {
  /** Carries out `work` under a span of its own. What becomes of the span changes nothing about the result. */
  trace<Result>(invocation: Invocation, work: () => Promise<Result>): Promise<Result>;
  /** Makes a span of each command that this client sends for an invocation. */
  watch(client: MongoClient): void;
  /** Sends what has not been sent. */
  end(): Promise<void>;
}

let loading: Promise<Tracing | undefined> | undefined;

/**
 * What sends spans, where OpenTelemetry's own variables say where to; undefined otherwise. Loaded on demand: in a bundle it
 * is a file of its own, beside the function's, and only where the deployment traces.
 */
export function loadTracing(
  {
    OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: tracesEndpoint = endpoint,
    OTEL_SDK_DISABLED: disabled,
  }: NodeJS.ProcessEnv = process.env,
): Promise<Tracing | undefined> {
  if (!tracesEndpoint || disabled === 'true') return Promise.resolve(undefined);
  loading ??= import('./open-telemetry.ts').then(
    ({ startTracing }) => startTracing((failure) => logger.warn('traces not sent', { failure })),
    (error: unknown) => {
      logger.warn('traces not sent', { failure: String(error) });
      return undefined;
    },
  );
  return loading;
}

/** What {@link loadTracing} found at the first invocation: to look into the environment each time costs more than a span. */
let found: Promise<Tracing | undefined> | undefined;

/** Carries out an invocation, under a span where there is tracing. */
export async function traceInvocation<Result>(
  invocation: Invocation,
  work: () => Promise<Result>,
): Promise<Result> {
  found ??= loadTracing();
  const tracing = await found;
  return tracing === undefined ? work() : tracing.trace(invocation, work);
}

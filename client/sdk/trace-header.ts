/** A trace as W3C's `traceparent` header has it, or what tells the one of the moment. */
export type Traceparent = string | (() => string | undefined);

const FORM = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** What `@opentelemetry/api` leaves for every copy of itself, as far as it is used here. */
interface OpenTelemetry {
  readonly context?: { active(): unknown };
  readonly propagation?: {
    inject(
      context: unknown,
      carrier: Record<string, string>,
      setter: { set(carrier: Record<string, string>, name: string, value: string): void },
    ): void;
  };
}

/**
 * The header that makes a request a part of the caller's trace: as told, or else that of OpenTelemetry's active span,
 * where the program uses it. A malformed one, or an error of those who make it, fails no request.
 */
export function traceHeader(given: Traceparent | undefined): { traceparent?: string } {
  try {
    const traceparent = given === undefined ? activeTrace() : typeof given === 'function' ? given() : given;
    return traceparent !== undefined && FORM.test(traceparent) ? { traceparent } : {};
  } catch {
    return {};
  }
}

/** By the registered global: no dependency, and the very API that the program has set up, whatever its version. */
function activeTrace(): string | undefined {
  const api = (globalThis as Record<symbol, OpenTelemetry | undefined>)[Symbol.for('opentelemetry.js.api.1')];
  if (api?.context === undefined || api.propagation === undefined) return undefined;
  const headers: Record<string, string> = {};
  // Not the rest of what a propagator sets: baggage may tell of the caller what this service need not know.
  const set = (carrier: typeof headers, name: string, value: string): void => {
    carrier[name] = value;
  };
  api.propagation.inject(api.context.active(), headers, { set });
  return headers.traceparent;
}

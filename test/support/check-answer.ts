import { expect } from 'vitest';
import { problemSchema } from '../../shared/contract/problems.ts';
import type { ApiEvent, ApiResponse } from '../../shared/http/api-event.ts';
import type { AnyEndpoint } from '../../shared/http/endpoint.ts';

/** What every answer must be: in the contract of its route, or a problem document; with its headers. */
export function checkAnswer(
  result: ApiResponse,
  event: ApiEvent,
  endpoint: AnyEndpoint | undefined,
): { status: number; headers: Record<string, string>; body: unknown } {
  const status = result.statusCode ?? Number.NaN;
  const headers = (result.headers ?? {}) as Record<string, string>;
  const body: unknown = result.body === undefined ? undefined : JSON.parse(result.body);
  const { requestId } = event.requestContext;
  expect(headers).toMatchObject({ 'cache-control': 'no-store', 'x-request-id': requestId });

  if (status >= 400) {
    expect(headers['content-type']).toBe('application/problem+json');
    expect(problemSchema.parse(body)).toMatchObject({ type: 'about:blank', status, requestId });
    expect(body).toHaveProperty('detail', expect.stringMatching(/\S/));
  } else {
    const schema = endpoint?.responses[status];
    if (schema === undefined) throw new Error(`${event.routeKey} does not promise ${status}`);
    expect(headers['content-type']).toBe(schema === null ? undefined : 'application/json');
    if (schema === null) expect(body).toBeUndefined();
    else expect(schema.parse(body)).toEqual(body);
  }
  return { status, headers, body };
}

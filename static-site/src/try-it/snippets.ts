import type { AcquireLeaseRequest } from '../../../shared/contract/leases.ts';

export type SnippetLanguage = 'curl' | 'sdk';

/** The same action for the shell and for a program. */
export type Snippet = Readonly<Record<SnippetLanguage, string>>;

export interface SnippetContext {
  /** Where the service is. */
  readonly url: string;
  /** Undefined: read from the environment, so that the code can be shown to anybody. */
  readonly credential: string | undefined;
}

const VARIABLE = 'TOKEN_ORCHESTRATOR_CREDENTIAL';

export function acquireSnippet(context: SnippetContext, request: AcquireLeaseRequest): Snippet {
  const body = inShellQuotes(JSON.stringify(request));
  return {
    curl: [
      ...curlStart(context, 'POST', '/v1/leases'),
      `  -H 'Content-Type: application/json' \\`,
      `  -d ${body}`,
    ].join('\n'),
    sdk: `${sdkStart(context)}\n\nconst lease = await client.acquire(${objectLiteral(request)});`,
  };
}

export function keepAliveSnippet(context: SnippetContext, leaseId: string): Snippet {
  return {
    curl: curlStart(context, 'POST', `/v1/leases/${leaseId}/keep-alive`).join('\n').replace(/ \\$/, ''),
    sdk: `${sdkStart(context)}\n\nconst lease = await client.keepAlive(\n  ${literal(leaseId)},\n);`,
  };
}

export function releaseSnippet(context: SnippetContext, leaseId: string): Snippet {
  return {
    curl: curlStart(context, 'DELETE', `/v1/leases/${leaseId}`).join('\n').replace(/ \\$/, ''),
    sdk: `${sdkStart(context)}\n\nawait client.release(\n  ${literal(leaseId)},\n);`,
  };
}

/** What a program should use: acquire, keep alive and release in one call. */
export function withLeaseSnippet(context: SnippetContext, pool: string): string {
  return [
    sdkStart(context),
    '',
    `await client.withLease({ pool: ${literal(pool)}, waitMs: 30_000 }, async (lease, signal) => {`,
    '  // The key is yours, and kept alive, until this returns or the signal aborts.',
    '  console.log(lease.value);',
    '  signal.throwIfAborted();',
    '});',
  ].join('\n');
}

function curlStart({ url, credential }: SnippetContext, method: string, path: string): string[] {
  const authorization =
    credential === undefined
      ? `"Authorization: Bearer $${VARIABLE}"`
      : inShellQuotes(`Authorization: Bearer ${credential}`);
  return [`curl -X ${method} ${inShellQuotes(`${url}${path}`)} \\`, `  -H ${authorization} \\`];
}

function sdkStart({ url, credential }: SnippetContext): string {
  return [
    "import { createClient } from 'token-orchestrator';",
    '',
    'const client = createClient({',
    `  url: ${literal(url)},`,
    `  credential: ${credential === undefined ? `process.env.${VARIABLE} ?? ''` : literal(credential)},`,
    '});',
  ].join('\n');
}

function objectLiteral(request: AcquireLeaseRequest): string {
  const fields = Object.entries(request).map(
    ([name, value]) => `${name}: ${typeof value === 'string' ? literal(value) : value}`,
  );
  return `{ ${fields.join(', ')} }`;
}

function literal(text: string): string {
  return `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
}

function inShellQuotes(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

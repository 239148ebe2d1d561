import { randomUUID } from 'node:crypto';
import { setTimeout as passes } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Health } from '../shared/contract/health.ts';
import type { HeldLease } from '../shared/contract/leases.ts';
import type { Problem } from '../shared/contract/problems.ts';

/** `npm run smoke -- --url URL`: the whole story against any address, in a pool of its own. */
const { values } = parseArgs({ options: { url: { type: 'string' }, credential: { type: 'string' } } });
const { TOKEN_ORCHESTRATOR_URL, TOKEN_ORCHESTRATOR_CREDENTIAL: credential = '' } = process.env;
const url = values.url ?? TOKEN_ORCHESTRATOR_URL ?? '';
if (!URL.canParse(url) || credential === '' || values.credential !== undefined) {
  // npm prints the command line, and every user of the machine sees it: a credential that came there is as good as told.
  console.error(
    values.credential === undefined
      ? 'usage: npm run smoke -- --url https://SITE   (an admin’s credential in TOKEN_ORCHESTRATOR_CREDENTIAL)'
      : 'set TOKEN_ORCHESTRATOR_CREDENTIAL in place of --credential, which others can see: rotate the one that you gave',
  );
  process.exit(2);
}

/** Longer than any gateway lets a request take, in milliseconds. */
const TIMEOUT_MS = 35_000;
/** So short that the story waits for it to lapse. */
const SHORT_LEASE_SECONDS = 5;

const pool = `smoke-${randomUUID()}`;
const clientId = credential.split('.')[0];
const stopped = new AbortController();
let isPoolMade = false;

interface Answer<Body> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body;
}

interface Call {
  readonly body?: unknown;
  readonly authorization?: string | null;
  readonly headers?: Record<string, string>;
  readonly signal?: AbortSignal;
}

/** @throws Error, where the status is another than the one that is expected */
async function call<Body = undefined>(
  status: number,
  method: string,
  path: string,
  { body, authorization = `Bearer ${credential}`, headers, signal = stopped.signal }: Call = {},
): Promise<Answer<Body>> {
  const response = await fetch(new URL(path, url), {
    method,
    headers: {
      ...(authorization !== null && { authorization }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
  });
  const text = await response.text();
  if (response.status !== status) {
    // What the gateway itself says has no code. Nothing else of a body is printed: it may hold a lease.
    const [, code = 'no code'] = /"code":"(\w+)"/.exec(text) ?? [];
    throw new Error(
      `${method} ${path.replace(/lease_[^/]+/, 'LEASE')} is ${response.status} (${code}), not ${status}`,
    );
  }
  const json = /json/.test(response.headers.get('content-type') ?? '');
  return { status, headers: response.headers, body: (json ? JSON.parse(text) : undefined) as Body };
}

function expect(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}

async function step(what: string, carryOut: () => Promise<unknown>): Promise<void> {
  try {
    await carryOut();
    console.log(`ok    ${what}`);
  } catch (error) {
    const { message, cause } = error as Error;
    console.log(`FAIL  ${what}: ${message}${cause instanceof Error ? `: ${cause.message}` : ''}`);
    throw error;
  }
}

const acquire = (body: object = {}, headers: Record<string, string> = {}, status = 201) =>
  call<HeldLease>(status, 'POST', '/v1/leases', { body: { pool, ...body }, headers });
const path = ({ leaseId }: HeldLease): string => `/v1/leases/${encodeURIComponent(leaseId)}`;

/** Once the key has cooled, which the refusal says. */
async function acquireOnceFree(): Promise<HeldLease> {
  for (let attempt = 0; attempt < 20; attempt += 1) {
    const response = await fetch(new URL('/v1/leases', url), {
      method: 'POST',
      headers: { authorization: `Bearer ${credential}`, 'content-type': 'application/json' },
      body: JSON.stringify({ pool }),
      signal: stopped.signal,
    });
    const body = (await response.json()) as HeldLease & Problem;
    if (response.status === 201) return body;
    expect(response.status === 409, `the acquire is ${response.status}`);
    await passes(body.retryAfterMs ?? 1000, undefined, stopped);
  }
  throw new Error('the key never became free');
}

async function tellStory(): Promise<void> {
  let first!: HeldLease;
  let second!: HeldLease;
  await step('the service and its database answer', async () => {
    const { headers, body } = await call<Health>(200, 'GET', '/v1/health', { authorization: null });
    expect(body.status === 'ok', `the status is ${body.status}`);
    expect(body.schema === 'ok', `the database was prepared by a release that is ${body.schema}`);
    expect(headers.get('cache-control') === 'no-store', 'the answer has no Cache-Control: no-store');
    expect(Boolean(headers.get('x-request-id')), 'the answer has no X-Request-Id');
  });
  await step('no credential is 401, a wrong one 403', async () => {
    await call(401, 'GET', '/v1/me', { authorization: null });
    await call(403, 'GET', '/v1/me', { authorization: `Bearer ${clientId}.${'x'.repeat(43)}` });
  });
  await step('this credential is an admin’s', async () => {
    const { body } = await call<{ role: string }>(200, 'GET', '/v1/me');
    expect(body.role === 'admin', `its role is ${body.role}`);
  });
  await step('a pool is made, with one key', async () => {
    isPoolMade = true; // Or may be: the answer may be lost.
    await call(201, 'PUT', `/v1/pools/${pool}`, { body: {} });
    await call(201, 'POST', '/v1/keys', { body: { pool, count: 1 } });
  });
  await step('the key is acquired, and a repeat of the acquire is the same lease', async () => {
    const idempotent = { 'idempotency-key': randomUUID() };
    first = (await acquire({}, idempotent)).body;
    const { body } = await acquire({}, idempotent, 200);
    expect(body.leaseId === first.leaseId, 'the repeat got another lease');
  });
  await step('another acquire is 409, with when to try again', async () => {
    const { headers } = await acquire({}, {}, 409);
    expect(Number(headers.get('retry-after')) > 0, 'the refusal has no Retry-After');
  });
  await step('the lease is kept alive', () => call(200, 'POST', `${path(first)}/keep-alive`));
  await step('the lease is released, and may be released again', async () => {
    await call(204, 'DELETE', path(first));
    await call(204, 'DELETE', path(first));
  });
  await step('the next lease of the key has a higher fencing token', async () => {
    second = (await acquire({ leaseSeconds: SHORT_LEASE_SECONDS })).body;
    expect(second.keyId === first.keyId, 'it is another key');
    expect(second.fencingToken > first.fencingToken, `${second.fencingToken} after ${first.fencingToken}`);
  });
  await step('that lease lapses, and cannot be kept alive any more', async () => {
    await passes(second.expiresInMs + 1000, undefined, stopped);
    await call(410, 'POST', `${path(second)}/keep-alive`);
  });
  await step('the key goes to the next one, with a higher fencing token again', async () => {
    const third = await acquireOnceFree();
    expect(third.fencingToken > second.fencingToken, `${third.fencingToken} after ${second.fencingToken}`);
    await call(204, 'DELETE', path(third));
  });
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => stopped.abort(new Error('it was interrupted')));
}
const isFailure = (): true => true;
let failed = await tellStory().then(() => false, isFailure);
if (isPoolMade) {
  const { signal } = new AbortController(); // Also after an interrupt.
  const leaves = await step('the pool is deleted', () =>
    call(202, 'DELETE', `/v1/pools/${pool}`, { signal }),
  ).then(() => false, isFailure);
  failed ||= leaves;
}
process.exit(failed ? 1 : 0);

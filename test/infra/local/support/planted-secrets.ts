import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import { routes } from '../../../../functions/routes.ts';
import { encodeLeaseId } from '../../../../shared/domain/lease-id.ts';
import { matchPath } from '../../../../shared/http/match-route.ts';
import type { Route } from '../../../../shared/http/route.ts';
import type { HostProcess } from '../../../support/host-process.ts';
import { findTraces, type Planted } from './traces.ts';

/** What a response may tell that is secret, by the name of the member that tells it. */
type Told = 'value' | 'leaseId' | 'credential' | 'ticket' | 'detail';

interface Request {
  as?: string;
  body?: unknown;
  rawBody?: string;
  idempotencyKey?: string;
  traceparent?: string;
  /** Where these belong; anywhere else they are a leak. */
  tells?: readonly Told[];
  status: number;
}

/** A host on some database, and what only its operator can do. */
export interface Scene {
  readonly host: HostProcess;
  readonly vaultSecret: string;
  /** All that the database keeps. */
  stored(): Promise<[place: string, bytes: Uint8Array][]>;
  /** All that was sent about its work, where it sends anything. */
  sent?(): Promise<[place: string, text: string][]>;
  /** While `work` runs, the database does not answer. */
  withoutDatabase(work: () => Promise<unknown>): Promise<void>;
  /** From now on the database fails in a way that nobody foresaw. */
  breakDatabase(): Promise<void>;
}

/** Makes every request that there is, in every way that it can fail, and then looks everywhere. */
export async function expectFoundNowhere(scene: Scene): Promise<void> {
  const { host } = scene;
  const planted: Planted[] = [
    { name: "the vault's key", core: scene.vaultSecret },
    plantCredential("the admin's credential", host.credential),
  ];
  const answers: [place: string, text: string][] = [];
  const called = new Set<Route>();

  async function call<Body = Record<string, never>>(
    method: string,
    path: string,
    request: Request,
  ): Promise<Body> {
    const { as = host.credential, idempotencyKey, tells = [], status } = request;
    const body = request.rawBody ?? (request.body === undefined ? undefined : JSON.stringify(request.body));
    const response = await fetch(`${host.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${as}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(idempotencyKey !== undefined && { 'idempotency-key': idempotencyKey }),
        ...(request.traceparent !== undefined && { traceparent: request.traceparent }),
      },
      ...(body !== undefined && { body }),
    });
    const text = await response.text();
    expect(`${method} ${response.status} ${text}`).toContain(`${method} ${status} `);
    const [route] = Object.values<Route>(routes).filter(
      (one) =>
        (one.methods as readonly string[]).includes(method) && matchPath(one.path, path.split('?')[0] ?? ''),
    );
    if (route !== undefined && status < 400) called.add(route);
    const place = `${method} ${route?.path} ${status}, call ${answers.length}`;
    const rest =
      text === ''
        ? ''
        : JSON.stringify(JSON.parse(text), (name, member) => (tells.includes(name as Told) ? '' : member));
    answers.push([place, `${JSON.stringify([...response.headers])}${rest}`]);
    return (text === '' ? undefined : JSON.parse(text)) as Body;
  }

  const plant = (name: string): string => {
    const core = `Sk${randomBytes(20).toString('hex')}`;
    planted.push({ name, core });
    return `${core} "ü"/+%0A`; // What is escaped in JSON, in a URL and in a log.
  };
  const makeClient = async (role: string, name: string): Promise<string> => {
    const body = { role, description: name };
    const tells = ['credential'] as const;
    const { credential } = await call<{ credential: string }>('POST', '/v1/clients', {
      body,
      tells,
      status: 201,
    });
    planted.push(plantCredential(`${name}'s credential`, credential));
    return credential;
  };
  const GIVEN = { status: 201, tells: ['value', 'leaseId'] } as const;
  const acquire = async (as: string, pool: string, request: Partial<Request> = {}) => {
    const lease = await call<{ leaseId: string; keyId: string; value: string }>('POST', '/v1/leases', {
      as,
      body: { pool, holder: 'host-1' },
      ...GIVEN,
      ...request,
    });
    const name = `lease ${planted.length}`;
    const proof = Buffer.from(lease.leaseId, 'base64url').toString().split('|')[2] as string;
    planted.push({ name, core: lease.leaseId }, { name: `the proof of ${name}`, core: proof });
    return lease;
  };

  const holder = await makeClient('client', 'the holder');
  const stranger = await makeClient('client', 'a stranger');
  const viewer = await makeClient('viewer', 'a viewer');
  const wrong = `client_wrong.${randomBytes(32).toString('hex')}`;
  planted.push(plantCredential('a wrong credential', wrong));
  await call('GET', '/v1/keys', { as: wrong, status: 403 });
  await call('GET', '/v1/clients', { status: 200 });
  await call('GET', '/v1/me', { as: holder, status: 200 });
  await call('GET', '/v1/health', { status: 200 });

  // Imports, and all that is wrong with one.
  await call('PUT', '/v1/pools/apis', { body: { keyTtlSeconds: null, cooldownSeconds: 5 }, status: 201 });
  const values = ['a value', 'another value', 'a third value', 'a fourth value'].map(plant);
  const labelled = values.map((value, index) => ({ value, labels: { account: `a-${index}` } }));
  const imported = { body: { pool: 'apis', values: labelled }, idempotencyKey: 'import-1' };
  await call('POST', '/v1/keys', { ...imported, status: 201 });
  await call('POST', '/v1/keys', { ...imported, status: 200 });
  await call('POST', '/v1/keys', {
    ...imported,
    body: { pool: 'apis', values: [plant('of another body')] },
    status: 422,
  });
  await call('POST', '/v1/keys', {
    body: { pool: 'apis', values: [plant('beside a duplicate'), ...values] },
    status: 409,
  });
  const twice = plant('twice in a body');
  await call('POST', '/v1/keys', { body: { pool: 'apis', values: [twice, twice] }, status: 400 });
  await call('POST', '/v1/keys', {
    body: { pool: 'apis', value: plant('in an unknown field') },
    status: 400,
  });
  await call('POST', '/v1/keys', {
    body: { pool: 'apis', values: { one: plant('in an object') } },
    status: 400,
  });
  await call('POST', '/v1/keys', { body: { pool: plant('as a pool'), values: ['x'] }, status: 400 });
  await call('POST', '/v1/keys', { body: { pool: 'nowhere', values: [plant('for no pool')] }, status: 404 });
  await call('POST', '/v1/keys', { rawBody: `{"values":["${plant('in broken JSON')}`, status: 400 });
  const long = plant('that is too long').repeat(100);
  await call('POST', '/v1/keys', { body: { pool: 'apis', values: [long] }, status: 400 });
  const large = plant('that is too large').repeat(100_000);
  await call('POST', '/v1/keys', { body: { pool: 'apis', values: [large] }, status: 413 });
  await call('POST', '/v1/keys', { as: viewer, body: { values: [plant('of a viewer')] }, status: 403 });
  await call('POST', '/v1/keys', { as: wrong, body: { values: [plant('of nobody')] }, status: 403 });

  // What belongs to the holder, and what others may ask.
  const repeatable = { idempotencyKey: 'acquire-1' };
  const lease = await acquire(holder, 'apis', repeatable);
  expect(values).toContain(lease.value);
  expect(await acquire(holder, 'apis', { ...repeatable, status: 200 })).toMatchObject({ value: lease.value });
  const own = `/v1/leases/${lease.leaseId}`;
  expect(await call('GET', own, { as: holder, status: 200, tells: GIVEN.tells })).toMatchObject({
    value: lease.value,
  });
  for (const as of [stranger, host.credential]) {
    await call('GET', own, { as, status: 403 });
    await call('POST', `${own}/keep-alive`, { as, status: 403 });
    await call('DELETE', own, { as, status: 403 });
  }
  await call('GET', own, { as: viewer, status: 403 });
  await call('POST', `${own}/keep-alive`, { as: holder, status: 200, tells: ['leaseId'] });
  await call('GET', '/v1/leases', { as: holder, status: 200, tells: ['leaseId'] });
  await call('GET', '/v1/leases', { as: stranger, status: 200 });
  await call('GET', '/v1/leases', { status: 200 });
  await call('GET', '/v1/holders', { as: viewer, status: 200 });
  const key = `/v1/keys/${lease.keyId}`;
  await call('GET', key, { as: viewer, status: 200 });
  await call('PATCH', key, { body: { labels: { region: 'eu' } }, status: 200 });
  await call('POST', `${key}/refresh`, { status: 200 });
  await call('POST', `${key}/pause`, { body: { reason: { text: lease.value } }, status: 400 });
  await call('POST', `${key}/pause`, { body: { reason: 'In repair' }, status: 200 });
  await call('POST', `${key}/resume`, { status: 200 });
  await call('GET', '/v1/keys?pool=apis', { as: viewer, status: 200 });

  // A secret where it does not belong: searched for, in a path, in a query.
  const text = encodeURIComponent(lease.value);
  const found = await call('GET', `/v1/keys?pool=apis&search=${text}`, { status: 200 });
  expect(found).toEqual({ keys: [] });
  for (const path of ['keys', 'leases', 'pools']) await call('GET', `/v1/${path}/${text}`, { status: 400 });
  await call('GET', `/v1/keys?cursor=${text}`, { status: 400 });
  await call('GET', `/v1/nothing/${text}`, { status: 404 });
  await call('DELETE', `/v1/tickets/${text}`, { status: 400 });
  for (const asked of ['after', 'key', 'pool']) {
    await call('GET', `/v1/events?${asked}=${text}`, { status: 400 });
  }
  await call('GET', `/v1/events?holder=${text}`, { status: 200 });
  await call('PUT', '/v1/pools/apis', { body: { leaseSeconds: lease.value }, status: 400 });
  await call('PATCH', key, { body: { labels: lease.value }, status: 400 });

  // The same where it has the form of what belongs there: neither log nor metrics repeat what a caller made up.
  plant('as a name');
  const { core } = planted.at(-1) as Planted;
  const pool = core.toLowerCase();
  const told = { as: holder, tells: ['detail'], status: 404 } as const;
  await call('POST', '/v1/leases', { ...told, body: { pool } });
  await call('GET', `/v1/pools/${pool}`, { ...told, as: viewer });
  await call('GET', `/v1/keys/${core}`, { status: 404 });
  const proof = `1.${'x'.repeat(22)}`;
  for (const parts of [
    { keyId: core, pool: 'apis/000000000000001', proof },
    { keyId: lease.keyId, pool: `${pool}/000000000000001`, proof },
  ]) {
    const forged = encodeLeaseId(parts);
    await call('POST', `/v1/leases/${forged}/keep-alive`, { as: holder, status: 410 });
    await call('DELETE', `/v1/leases/${forged}`, { as: holder, status: 410 });
  }
  await call('GET', '/v1/me', { traceparent: `00-${core}-00f067aa0ba902b7-01`, status: 200 });

  // The ways in which a lease ends.
  await call('DELETE', own, { as: holder, status: 204 });
  await call('POST', `${own}/keep-alive`, { as: holder, status: 410 });
  for (const outcome of ['cooldown', 'discard']) {
    const { leaseId } = await acquire(holder, 'apis');
    await call('DELETE', `/v1/leases/${leaseId}?outcome=${outcome}`, { as: holder, status: 204 });
  }
  const unblocked = await acquire(holder, 'apis');
  await call('POST', `/v1/keys/${unblocked.keyId}/unblock?force=true`, { status: 200 });
  await call('GET', `/v1/leases/${unblocked.leaseId}`, { as: holder, status: 410 });
  const several = await call<{ leases: { leaseId: string; keyId: string }[] }>('POST', '/v1/leases', {
    as: holder,
    body: { pool: 'apis', count: 2 },
    ...GIVEN,
  });
  for (const { leaseId } of several.leases) planted.push({ name: 'one of several leases', core: leaseId });
  await call('DELETE', `/v1/keys/${several.leases[0]?.keyId}`, { status: 204 });

  // Nobody is served: a ticket, and who waits.
  await call('PATCH', '/v1/pools/apis', { body: { fair: true }, status: 200 });
  const wait = { as: stranger, body: { pool: 'apis', wait: true }, tells: ['ticket'], status: 202 } as const;
  const { ticket } = await call<{ ticket: string }>('POST', '/v1/leases', wait);
  planted.push({ name: 'a ticket', core: ticket });
  await call('GET', '/v1/pools/apis/tickets', { as: viewer, status: 200 });
  await call('DELETE', `/v1/tickets/${ticket}`, { as: holder, status: 410 });
  await call('DELETE', `/v1/tickets/${ticket}`, { as: stranger, status: 204 });
  await call('POST', '/v1/leases', { as: stranger, body: { pool: 'apis' }, status: 409 });

  // Everything that happened.
  await call('GET', '/v1/events?tail=200', { status: 200 });
  await call('GET', '/v1/events?pool=apis&type=key.deleted', { as: viewer, status: 200 });

  // Everything else that there is.
  await call('GET', '/v1/pools', { as: viewer, status: 200 });
  await call('GET', '/v1/pools/apis', { as: viewer, status: 200 });
  await call('GET', '/v1/pools/apis/usage', { as: viewer, status: 200 });
  await call('GET', '/v1/usage', { as: viewer, status: 200 });
  await call('POST', '/v1/pools/apis/refresh', { status: 202 });
  await call('PUT', '/v1/pools/gone', { body: {}, status: 201 });
  await call('POST', '/v1/keys', {
    body: { pool: 'gone', values: [plant('in a pool that goes')] },
    status: 201,
  });
  await call('DELETE', '/v1/pools/gone', { status: 202 });
  const rotated = await makeClient('client', 'a client that is rotated');
  const { credential } = await call<{ credential: string }>(
    'POST',
    `/v1/clients/${rotated.split('.')[0]}/secrets`,
    {
      tells: ['credential'],
      status: 201,
    },
  );
  planted.push(plantCredential('the new credential', credential));
  for (const as of [rotated, credential]) await call('GET', '/v1/me', { as, status: 200 });
  await call('GET', '/v1/clients', { status: 200 });
  const revoked = await makeClient('client', 'a client that is revoked');
  await call('DELETE', `/v1/clients/${revoked.split('.')[0]}`, { status: 204 });

  // The database fails, in a way that was foreseen and in one that was not.
  const failing = (status: number) => async () => {
    const body = { pool: 'apis', values: [plant(`while the database fails, ${status}`)] };
    await call('POST', '/v1/keys', { body, status });
  };
  await scene.withoutDatabase(failing(503));
  await scene.breakDatabase();
  await failing(500)();
  await call('POST', '/v1/leases', { as: holder, body: { pool: 'apis' }, status: 500 });
  await call('POST', `/v1/leases/${several.leases[1]?.leaseId}/keep-alive`, { as: holder, status: 500 });

  expect(Object.values<Route>(routes).filter((route) => !called.has(route))).toEqual([]);
  const metrics = await (await fetch(`${host.url}/metrics`)).text();
  expect(metrics).toContain('token_orchestrator_acquires_total{pool="apis",outcome="acquired"}');
  const { stdout, stderr } = host.program;
  expect(stdout.match(/"message":"request"/g)?.length).toBeGreaterThan(50);
  expect(stderr).toMatch(/database unavailable.*unexpected error/s);
  const everywhere = [
    ...answers,
    ['the metrics', metrics],
    ['standard output', stdout],
    ['standard error', stderr],
    ...((await scene.sent?.()) ?? []),
  ] as const;
  expect(findTraces(planted, everywhere)).toEqual([]);
  // The database proves a lease and a ticket by what it keeps of them; without the client's credential it is of no use.
  const atRest = planted.filter(({ name }) => !/lease|ticket/.test(name));
  expect(findTraces(atRest, await scene.stored())).toEqual([]);
}

function plantCredential(name: string, credential: string): Planted {
  return { name, core: credential.slice(credential.indexOf('.') + 1) };
}

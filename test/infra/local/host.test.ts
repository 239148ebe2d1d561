import { once } from 'node:events';
import { readdir, readFile, stat } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { CreateKeysResponse, Key } from '../../../shared/contract/keys.ts';
import type { Lease } from '../../../shared/contract/leases.ts';
import type { Problem } from '../../../shared/contract/problems.ts';
import { useHostProcesses } from '../../support/host-process.ts';

describe('the local host', { timeout: 120_000 }, () => {
  const hosts = useHostProcesses();

  it('leases keys as the README tells, and finds them again after a restart', async () => {
    const folder = await hosts.makeFolder();
    let host = await hosts.startHost(folder);
    const { credential } = host;

    const created = await host.call<CreateKeysResponse>('POST', '/v1/keys', { body: { count: 3 } });
    expect(created.status).toBe(201);
    const keyIds = created.body.keys.map((key) => key.keyId).sort();
    expect(keyIds).toHaveLength(3);

    const leases: Lease[] = [];
    for (let number = 0; number < 3; number += 1) {
      const { status, body } = await host.call<Lease>('POST', '/v1/leases');
      expect(status).toBe(201);
      leases.push(body);
    }
    expect(leases.map((lease) => lease.keyId).sort()).toEqual(keyIds);

    const refused = await host.call<Problem>('POST', '/v1/leases');
    expect(refused).toMatchObject({ status: 409, body: { code: 'no_key_available' } });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(61);

    const [first, second, third] = leases as [Lease, Lease, Lease];
    expect(await host.call('DELETE', `/v1/leases/${first.leaseId}`)).toMatchObject({ status: 204 });
    const { body: again } = await host.call<Lease>('POST', '/v1/leases');
    expect(again.keyId).toBe(first.keyId);
    expect(again.fencingToken).toBeGreaterThan(first.fencingToken);

    expect(await host.call('DELETE', `/v1/keys/${second.keyId}`)).toMatchObject({ status: 204 });
    expect(await host.call('GET', `/v1/keys/${second.keyId}`)).toMatchObject({ status: 404 });

    host.program.kill('SIGTERM');
    expect(await host.program.ended).toMatchObject({ code: 0, stderr: '' });
    host = await hosts.startHost(folder);
    expect(host.credential).toBe(credential);

    for (const lease of [again, third]) {
      const found = await host.call<Lease>('GET', `/v1/leases/${lease.leaseId}`);
      expect(found).toMatchObject({
        status: 200,
        body: { keyId: lease.keyId, fencingToken: lease.fencingToken },
      });
      expect(await host.call('POST', `/v1/leases/${lease.leaseId}/keep-alive`)).toMatchObject({
        status: 200,
      });
    }
    expect(await host.call('GET', `/v1/leases/${second.leaseId}`)).toMatchObject({
      status: 410,
      body: { reason: 'deleted' },
    });
    expect(await host.call('GET', `/v1/keys/${second.keyId}`)).toMatchObject({ status: 404 });
    expect(await host.call('POST', '/v1/leases')).toMatchObject({ status: 409 });
  });

  it('takes a lease back by itself when nobody keeps it alive', async () => {
    const host = await hosts.startHost(await hosts.makeFolder(), { CLOCK_SKEW_TOLERANCE_MS: '0' });
    await host.call('POST', '/v1/keys');
    const { body: lease } = await host.call<Lease>('POST', '/v1/leases', { body: { leaseSeconds: 1 } });
    const keyOf = async () => (await host.call<Key>('GET', `/v1/keys/${lease.keyId}`)).body;
    expect(await keyOf()).toMatchObject({ state: 'leased' });
    while ((await keyOf()).state !== 'free');
    const next = await host.call<Lease>('POST', '/v1/leases');
    expect(next).toMatchObject({ status: 201, body: { keyId: lease.keyId } });
    const late = await host.call<Problem>('POST', `/v1/leases/${lease.leaseId}/keep-alive`);
    expect(late).toMatchObject({ status: 410, body: { code: 'lease_ended' } });
  });

  it('keeps its admin credential and its database readable by their owner only', async () => {
    const folder = await hosts.makeFolder();
    const host = await hosts.startHost(folder);
    expect(await host.call('GET', '/v1/clients')).toMatchObject({ status: 200 });
    const kept = await readFile(join(folder, '.data/admin-credential'), 'utf8');
    expect(kept).toBe(`${host.credential}\n`);
    const modes = new Map<string, number>();
    for (const name of ['.', ...(await readdir(join(folder, '.data')))]) {
      modes.set(name, (await stat(join(folder, '.data', name))).mode & 0o077);
    }
    expect([...modes.keys()]).toEqual(expect.arrayContaining(['admin-credential', 'orchestrator.db']));
    expect([...modes].filter(([, others]) => others !== 0)).toEqual([]);
  });

  it('takes the credential of BOOTSTRAP_CREDENTIAL, and neither prints nor keeps it', async () => {
    const folder = await hosts.makeFolder();
    const BOOTSTRAP_CREDENTIAL = `ci-scripts.${'s3cret-'.repeat(7)}`;
    const host = await hosts.startHost(folder, { BOOTSTRAP_CREDENTIAL });
    const answer = await host.call('GET', '/v1/clients');
    expect(answer).toMatchObject({
      status: 200,
      body: { clients: [{ clientId: 'ci-scripts', role: 'admin' }] },
    });
    host.program.kill('SIGTERM');
    const { code, stdout, stderr } = await host.program.ended;
    expect(code).toBe(0);
    expect(stdout + stderr).not.toContain('s3cret');
    expect(await readdir(join(folder, '.data'))).not.toContain('admin-credential');
  });

  it('serves from memory, and leaves no database behind', async () => {
    const folder = await hosts.makeFolder();
    const host = await hosts.startHost(folder, { SQLITE_PATH: ':memory:' });
    expect(await host.call('POST', '/v1/keys')).toMatchObject({ status: 201 });
    expect(await host.call('POST', '/v1/leases')).toMatchObject({ status: 201 });
    expect(await readdir(folder)).toEqual(['.data']);
    expect(await readdir(join(folder, '.data'))).toEqual(['admin-credential', 'value-encryption-key']);
  });

  it('puts its kept credential into a new database', async () => {
    const folder = await hosts.makeFolder();
    const first = await hosts.startHost(folder, { SQLITE_PATH: 'first.db' });
    first.program.kill('SIGTERM');
    await first.program.ended;
    const second = await hosts.startHost(folder, { SQLITE_PATH: 'second.db' });
    expect(second.credential).toBe(first.credential);
    expect(await second.call('GET', '/v1/clients')).toMatchObject({ status: 200 });
  });

  it.each(['SIGTERM', 'SIGINT'] as const)(
    'finishes a running request on %s, then ends with 0',
    async (signal) => {
      const host = await hosts.startHost(await hosts.makeFolder());
      const running = request(`${host.url}/v1/keys`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${host.credential}`,
          'content-type': 'application/json',
          'content-length': 11,
          expect: '100-continue',
        },
      });
      running.flushHeaders();
      await once(running, 'continue'); // The host has read the headers and waits for the body.
      host.program.kill(signal);
      await host.program.printed(/finishing running requests/);
      await expect(fetch(`${host.url}/v1/health`)).rejects.toThrow();
      running.end('{"count":1}');
      const [answer] = await once(running, 'response');
      expect(answer.statusCode).toBe(201);
      answer.resume();
      expect(await host.program.ended).toMatchObject({ code: 0, signal: null, stderr: '' });
    },
  );
});

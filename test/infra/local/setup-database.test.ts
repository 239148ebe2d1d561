import { expect, it } from 'vitest';
import type { Lease } from '../../../shared/contract/leases.ts';
import { useHostProcesses } from '../../support/host-process.ts';
import { describeWithMongoDb } from '../../support/mongodb.ts';

describeWithMongoDb('setup-database', (database) => {
  const hosts = useHostProcesses();

  it('prepares a database and shows its first admin credential once, which a host on it then takes', {
    timeout: 120_000,
  }, async () => {
    const folder = await hosts.makeFolder();
    const environment = { MONGODB_URI: database.uri };
    const first = await hosts.run('setup-database.ts', folder, environment);
    expect(first).toMatchObject({ code: 0, stderr: '' });
    const credential = /shown this once: (\S+)/.exec(first.stdout)?.[1] as string;

    const second = await hosts.run('setup-database.ts', folder, environment);
    expect(second).toMatchObject({ code: 0, stderr: '' });
    expect(second.stdout).toContain('There is an admin already');
    expect(second.stdout).not.toContain('Admin credential');
    const indexes = await database.db.collection('keys').indexes();
    expect(indexes.length).toBeGreaterThanOrEqual(5);

    const host = await hosts.startHost(folder, environment);
    expect(await host.call('POST', '/v1/keys', { credential })).toMatchObject({ status: 201 });
    const { body: lease } = await host.call<Lease>('POST', '/v1/leases', { credential });
    host.program.kill('SIGTERM');
    expect(await host.program.ended).toMatchObject({ code: 0, stderr: '' });
    const again = await hosts.startHost(folder, environment);
    const found = await again.call('GET', `/v1/leases/${lease.leaseId}`, { credential });
    expect(found).toMatchObject({ status: 200, body: { keyId: lease.keyId } });
  });
});

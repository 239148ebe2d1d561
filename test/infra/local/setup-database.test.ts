import { expect, it } from 'vitest';
import type { Lease } from '../../../shared/contract/leases.ts';
import { useHostProcesses } from '../../support/host-process.ts';
import { describeWithMongoDb } from '../../support/mongodb.ts';

describeWithMongoDb('setup-database', (database) => {
  const hosts = useHostProcesses();

  it('says in one line that there are no AWS credentials, for a role as for a secret', {
    timeout: 120_000,
  }, async () => {
    const folder = await hosts.makeFolder();
    const nowhere = { HOME: folder, AWS_EC2_METADATA_DISABLED: 'true' };
    const [address] = database.uri.split(/(?<=\w)\/|\?/);
    for (const environment of [
      { MONGODB_URI: `${address}/?authMechanism=MONGODB-AWS&authSource=%24external` },
      { MONGODB_SECRET_ARN: 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:x-AbCdEf' },
    ]) {
      const { code, stderr } = await hosts.run('setup-database.ts', folder, { ...nowhere, ...environment });
      expect(code).toBe(1);
      expect(stderr).toMatch(/^token-orchestrator: there are no AWS credentials here: [^\n]+\n$/);
    }
  });

  it('prepares a database and shows its first admin credential once, which a host on it then takes', {
    timeout: 120_000,
  }, async () => {
    const folder = await hosts.makeFolder();
    const environment = { MONGODB_URI: database.uri };
    const keys = database.db.collection('keys');
    await keys.createIndex({ 'lease.clientId': 1, _id: 1 });
    const first = await hosts.run('setup-database.ts', folder, environment);
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(first.stdout).toMatch(/^The database is new, or of an older version: making the indexes/);
    expect(first.stdout).toMatch(/^Only earlier versions need: keys\.lease\.clientId_1__id_1\. /m);
    const credential = /shown this once: (\S+)/.exec(first.stdout)?.[1] as string;

    const indexes = await keys.indexes();
    const second = await hosts.run('setup-database.ts', folder, environment, '--drop-old-indexes');
    expect(second).toMatchObject({ code: 0, stderr: '' });
    expect(second.stdout).toMatch(/^The database has been prepared by this version/);
    expect(second.stdout).toContain('There is an admin already');
    expect(second.stdout).not.toContain('Admin credential');
    expect(second.stdout).toMatch(
      /^Removing what only earlier versions need: keys\.lease\.clientId_1__id_1$/m,
    );
    expect(await keys.indexes()).toHaveLength(indexes.length - 1);
    expect(indexes.length).toBeGreaterThan(5);

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

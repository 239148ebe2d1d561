import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { MongoClient } from 'mongodb';
import { afterEach, describe, expect, it } from 'vitest';
import { isStandInBuilt, startStandIn } from '../../store/mongo-stand-in-process.ts';
import { layWire } from '../../store/mongo-wire.ts';
import { eventually } from '../../support/eventually.ts';
import { useHostProcesses } from '../../support/host-process.ts';
import { startOtlpReceiver } from '../../support/otlp-receiver.ts';
import { expectFoundNowhere } from './support/planted-secrets.ts';

describe('secrets that are planted in the local host', { timeout: 120_000 }, () => {
  const hosts = useHostProcesses();
  const cleanups: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const clean of cleanups.splice(0).reverse()) await clean();
  });

  const start = async (variables: Record<string, string>) => {
    const BOOTSTRAP_CREDENTIAL = `client_boot.${randomBytes(32).toString('hex')}`;
    const folder = await hosts.makeFolder();
    return hosts.startHost(folder, { BOOTSTRAP_CREDENTIAL, LOG_LEVEL: 'DEBUG', ...variables });
  };

  it('are found nowhere but where they belong, on SQLite', async () => {
    const host = await start({});
    const data = join(host.folder, '.data');
    const vaultKey = await readFile(join(data, 'value-encryption-key'), 'utf8');
    const file = join(data, 'orchestrator.db');
    await expectFoundNowhere({
      host,
      vaultSecret: vaultKey.trim().split(':')[1] as string,
      async stored() {
        const names = (await readdir(data)).filter((name) => name !== 'value-encryption-key');
        expect(names).toEqual(expect.arrayContaining(['orchestrator.db', 'orchestrator.db-wal']));
        return Promise.all(
          names.map(async (name) => [name, await readFile(join(data, name))] as const),
        ) as never;
      },
      async withoutDatabase(work) {
        const other = new DatabaseSync(file);
        other.exec('BEGIN IMMEDIATE'); // Nobody else can write.
        await work();
        other.close();
      },
      async breakDatabase() {
        const other = new DatabaseSync(file);
        other.exec('ALTER TABLE keys RENAME TO gone');
        other.close();
      },
    });
  });

  it.skipIf(!isStandInBuilt)('are found nowhere but where they belong, on MongoDB', async () => {
    const standIn = await startStandIn();
    cleanups.push(standIn.stop);
    const wire = await layWire(standIn);
    cleanups.push(wire.close);
    const client = new MongoClient(`mongodb://127.0.0.1:${standIn.port}/secrets`);
    cleanups.push(() => client.close());
    const vaultSecret = randomBytes(32).toString('hex');
    const receiver = await startOtlpReceiver();
    cleanups.push(receiver.close);
    const host = await start({
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_BSP_SCHEDULE_DELAY: '10',
      MONGODB_URI: `mongodb://127.0.0.1:${wire.port}/secrets`,
      VALUE_ENCRYPTION_KEY: `one:${vaultSecret}`,
    });
    const failWrites = (reply: object) => {
      wire.intercept = async (name) =>
        ['insert', 'update', 'findAndModify'].includes(name) ? reply : undefined;
    };
    await expectFoundNowhere({
      host,
      vaultSecret,
      async stored() {
        const collections = await client.db().collections();
        const documents = collections.map(async (collection) => {
          const found = await collection.find<Uint8Array>({}, { raw: true }).toArray();
          return found.map((bytes) => [collection.collectionName, bytes] as const);
        });
        return (await Promise.all(documents)).flat() as never;
      },
      async sent() {
        await eventually(async () => receiver.spans.some((span) => span.status.code === 2));
        const names = new Set(receiver.spans.map(({ name }) => name));
        expect([...names]).toEqual(
          expect.arrayContaining(['POST /v1/leases', 'findAndModify keys', 'authorize']),
        );
        return [['the spans', receiver.text]];
      },
      async withoutDatabase(work) {
        failWrites({ ok: 0, code: 10107, codeName: 'NotWritablePrimary', errmsg: 'not primary' });
        await work();
        wire.intercept = async () => undefined;
      },
      async breakDatabase() {
        failWrites({ ok: 0, code: 8, codeName: 'UnknownError', errmsg: 'out of cheese' });
      },
    });
  });
});

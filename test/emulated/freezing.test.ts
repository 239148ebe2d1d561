import { setTimeout as passes } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { generateClient } from '../../shared/domain/clients.ts';
import { createMongoStore } from '../../shared/store/mongo/mongo-store.ts';
import { BundleFolder } from '../infra/bundle/support/bundle-process.ts';
import { layWire, type Wire } from '../store/mongo-wire.ts';
import { describeWithMongoDb } from '../support/mongodb.ts';
import { LambdaEnvironment } from './support/lambda-environment.ts';

/** Longer than any time-out of the driver's, so that each of them is overdue at the thaw. */
const FROZEN_MS = 6000;

describeWithMongoDb('a function that is frozen after each response', (database) => {
  const verified = { isAuthorized: true, context: { role: 'client' } };
  const environments: LambdaEnvironment[] = [];
  let folder: BundleFolder;
  let wire: Wire;
  let uri: string;
  let identitySource: string[];

  beforeAll(async () => {
    folder = await BundleFolder.make();
    const store = createMongoStore({ uri: database.uri });
    await store.prepare(Date.now());
    const { client, credential } = generateClient({ role: 'client' }, Date.now());
    await store.clients.put(client);
    await store.close();
    identitySource = [`Bearer ${credential}`];
    const url = new URL(database.uri);
    wire = await layWire({ host: url.hostname, port: Number(url.port) });
    url.host = `127.0.0.1:${wire.port}`;
    url.searchParams.delete('replicaSet');
    url.searchParams.set('directConnection', 'true');
    uri = url.href;
  }, 180_000);

  afterEach(async () => {
    for (const environment of environments.splice(0)) await environment.stop();
    wire.mend();
    wire.roundTripMs = 0;
  });

  afterAll(async () => {
    await wire.close();
    await folder.remove();
  });

  async function start(name: string, variables: Record<string, string> = {}): Promise<LambdaEnvironment> {
    const environment = await LambdaEnvironment.start(folder.path(`functions/${name}/index.mjs`), {
      MONGODB_URI: uri,
      ...variables,
    });
    environments.push(environment);
    return environment;
  }

  it('verifies every credential, from the first on, over round trips of 400 ms', async () => {
    wire.roundTripMs = 400;
    const authorizer = await start('authorize');
    for (let invocation = 0; invocation < 4; invocation += 1) {
      expect(await authorizer.invoke({ identitySource })).toMatchObject(verified);
      await passes(FROZEN_MS);
    }
    expect(authorizer.printed).toEqual([]);
  }, 120_000);

  it('verifies again after its connection was dropped while it was frozen', async () => {
    const authorizer = await start('authorize');
    expect(await authorizer.invoke({ identitySource })).toMatchObject(verified);
    wire.forget();
    await passes(10_500);
    expect(await authorizer.invoke({ identitySource })).toMatchObject(verified);
  }, 60_000);

  it('starts while the database is away, says so, and works once it is back', async () => {
    wire.cut();
    const authorizer = await start('authorize');
    expect(await authorizer.invoke({ identitySource })).toMatchObject({ context: { unverified: 'true' } });
    expect(authorizer.printed.at(-1)).toMatchObject({ message: 'database unavailable' });
    wire.mend();
    await expect
      .poll(() => authorizer.invoke({ identitySource }), { timeout: 30_000 })
      .toMatchObject(verified);
  }, 60_000);

  it('lives through a database that vanishes, refuses and comes back while it is frozen', async () => {
    const authorizer = await start('authorize');
    const unverified = { context: { unverified: 'true' } };
    expect(await authorizer.invoke({ identitySource })).toMatchObject(verified);
    wire.cut();
    expect(await authorizer.invoke({ identitySource })).toMatchObject(unverified);
    await wire.refuse();
    expect(await authorizer.invoke({ identitySource })).toMatchObject(unverified);
    await wire.accept();
    wire.mend();
    await expect
      .poll(() => authorizer.invoke({ identitySource }), { timeout: 30_000 })
      .toMatchObject(verified);
  }, 60_000);

  it('serves a thousand invocations from a heap of 48 MB, and grows by little after the first 200', async () => {
    const authorizer = await start('authorize', { NODE_OPTIONS: '--max-old-space-size=48' });
    const used: number[] = [];
    for (const invocations of [200, 800]) {
      for (let invocation = 0; invocation < invocations; invocation += 1) {
        expect(await authorizer.invoke({ identitySource })).toMatchObject(verified);
      }
      used.push(Math.round(authorizer.memoryBytes / 1e6));
    }
    const [early = 0, late = Number.POSITIVE_INFINITY] = used;
    process.stdout.write(`In use after 200 and after 1,000 invocations: ${early} and ${late} MB\n`);
    expect(late).toBeLessThan(256);
    expect(late - early).toBeLessThan(64);
  }, 120_000);
});

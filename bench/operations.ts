import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Context as LambdaContext } from 'aws-lambda';
import { BSON, type CommandStartedEvent, type Document, type IndexDescription, MongoClient } from 'mongodb';
import { loadFunctions } from '../infra/local/load-functions.ts';
import type { Key } from '../shared/domain/key.ts';
import { DEFAULT_POLICY, type Pool, poolReference } from '../shared/domain/pool.ts';
import type { Store } from '../shared/domain/store.ts';
import { sweep } from '../shared/domain/sweep.ts';
import type { ApiEvent } from '../shared/http/api-event.ts';
import { publishEmf } from '../shared/runtime/emf-metrics.ts';
import { createRuntime } from '../shared/runtime/runtime.ts';
import { type KeyDocument, toDocument } from '../shared/store/mongo/key-document.ts';
import { createMongoStore } from '../shared/store/mongo/mongo-store.ts';
import { INDEXES, indexName } from '../shared/store/mongo/schema.ts';
import { SqliteConnection } from '../shared/store/sqlite/connection.ts';
import { storeOn } from '../shared/store/sqlite/sqlite-store.ts';

/**
 * `MONGODB_URI=... npm run bench:operations`: what an operation and a batch of the sweep take, in commands, bytes and CPU
 * time of this process, which `load-model.ts` counts with. One request at a time, as in Lambda. A stand-in will do: the
 * server's time is in none of it.
 */
const ROUNDS = 500;
const BATCH = 500;
const BATCHES = 10;
/** Shorter than the default life, so that each operation refreshes its key, and longer than a run. */
const LIFE_MS = 250_000;
/** What a key has in an index beside its values, about: the key's end, the record's number, the cell's head. */
const AROUND_ENTRY = 9;

const url = new URL(process.env.MONGODB_URI ?? '');
url.pathname = `/bench_operations_${randomBytes(6).toString('hex')}`;
const client = new MongoClient(url.href, { ignoreUndefined: true });
const keys = client.db().collection<KeyDocument>('keys');
const folder = mkdtempSync(join(tmpdir(), 'operations-'));
const sent: CommandStartedEvent[] = [];
const sqlite = storeOn(new SqliteConnection(join(folder, 'bench.db')));
const mongo = createMongoStore({
  uri: url.href,
  timeoutMs: 60_000,
  watch: (client) => client.on('commandStarted', (event) => sent.push(event)),
});

const random = () => randomBytes(16).toString('base64url');
const round = (value: number) => Math.round(value * 100) / 100;

function cpuMsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

async function addKeys(store: Store, count: number, isLapsed: boolean): Promise<void> {
  const now = Date.now();
  const pool = poolReference((await store.pools.get('default')) as Pool);
  const made = Array.from({ length: count }, (): Key => {
    const key = { keyId: `key_${random()}`, pool, slot: Math.random(), fencingToken: now, createdAt: now };
    if (!isLapsed) return { ...key, state: 'free', freeAt: now - 60_000, expiresAt: now + LIFE_MS };
    const end = now - 60_000;
    const lease = { id: `2s8.${random()}`, clientId: 'bench', acquiredAt: end - 60_000, expiresAt: end };
    return { ...key, state: 'leased', freeAt: end + 1000, expiresAt: now + LIFE_MS, lease };
  });
  // What this verb creates on MongoDB is free, whatever it is given.
  if (isLapsed && store === mongo) await keys.insertMany(made.map(toDocument));
  else await store.keys.create(made, null);
}

/**
 * The entries of a key, by index. Their size is an estimate, without compression: a byte for each value's type, and eight
 * for a time or a number, a text and its end, nothing for what is missing.
 */
function indexEntries(document: Document): Map<string, { values: string; bytes: number }> {
  const at = (path: string) =>
    path.split('.').reduce<unknown>((inside, name) => (inside as Document | undefined)?.[name], document);
  const bytesOf = (value: unknown) =>
    typeof value === 'string' ? value.length + 2 : value === undefined ? 1 : 9;
  const indexes: IndexDescription[] = [{ key: { _id: 1 } }, ...(INDEXES.keys ?? [])];
  const entries = indexes.flatMap((index) => {
    const values = Object.keys(index.key).map(at);
    const { sparse, partialFilterExpression = {} } = index;
    const isLeftOut = sparse ? values.every((value) => value === undefined) : false;
    if (isLeftOut || Object.keys(partialFilterExpression).some((path) => at(path) === undefined)) return [];
    const bytes = values.reduce<number>((sum, value) => sum + bytesOf(value), AROUND_ENTRY);
    return [[indexName(index.key as Record<string, 1>), { values: JSON.stringify(values), bytes }] as const];
  });
  return new Map(entries);
}

/** Acquire, keep-alive and release through their handlers, with log and metrics as in Lambda. */
async function measureRequests() {
  const runtime = createRuntime(mongo, { clockSkewToleranceMs: 1000 });
  const { handlers } = await loadFunctions(async () => runtime, publishEmf);
  const totals: Record<string, Record<string, number>> = {};
  let logBytes = 0;
  let key: Document = {};
  const write = process.stdout.write;
  process.stdout.write = (text: string | Uint8Array) => {
    logBytes += Buffer.byteLength(text);
    return true;
  };

  const call = async (name: string, routeKey: string, isCounted: boolean, leaseId?: string) => {
    const authorizer = { lambda: { clientId: 'bench', role: 'client', pools: '' } };
    const event = {
      ...{ version: '2.0', routeKey, rawPath: '/v1/leases', rawQueryString: '', isBase64Encoded: false },
      headers: { 'idempotency-key': random() },
      ...(leaseId !== undefined && { pathParameters: { leaseId } }),
      requestContext: { requestId: random(), routeKey, authorizer, http: { sourceIp: '192.0.2.1' } },
    } as unknown as ApiEvent;
    [sent.length, logBytes] = [0, 0];
    const before = process.cpuUsage();
    const response = await handlers.get(name)?.(event, {
      getRemainingTimeInMillis: () => 9000,
    } as LambdaContext);
    const cpuMs = cpuMsSince(before);
    const commandBytes = sent.reduce((sum, { command }) => sum + BSON.calculateObjectSize(command), 0);
    const taken = { cpuMs, commands: sent.length, commandBytes, logBytes };
    const body = JSON.parse(response?.body || '{}') as { leaseId: string; keyId: string };
    const old = leaseId === undefined ? { ...key, _id: body.keyId } : key;
    key = (await keys.findOne({ _id: body.keyId ?? key._id })) ?? {};
    const [was, is] = [indexEntries(old), indexEntries(key)];
    const changed = [...is].filter(([index, { values }]) => was.get(index)?.values !== values);
    const gone = [...was.keys()].filter((index) => !is.has(index));
    const figures = { ...taken, indexesChanged: changed.length + gone.length };
    totals[name] ??= {};
    const total = totals[name];
    for (const [figure, value] of Object.entries(figures)) {
      total[figure] = (total[figure] ?? 0) + (isCounted ? value / ROUNDS : 0);
    }
    return body.leaseId;
  };

  const sizes: Record<string, number> = {};
  let documentBytes = 0;
  for (let turn = -ROUNDS; turn < ROUNDS; turn++) {
    key = (await keys.findOne({ state: 'free' })) ?? {};
    const leaseId = await call('acquire-lease', 'POST /v1/leases', turn >= 0);
    await call('keep-alive-lease', 'POST /v1/leases/{leaseId}/keep-alive', turn >= 0, leaseId);
    documentBytes = BSON.calculateObjectSize(key);
    for (const [index, { bytes }] of indexEntries(key)) sizes[index] = bytes;
    await call('release-lease', 'DELETE /v1/leases/{leaseId}', turn >= 0, leaseId);
  }
  process.stdout.write = write;
  for (const total of Object.values(totals)) {
    for (const [figure, value] of Object.entries(total)) total[figure] = round(value);
  }
  return { requests: totals, leasedKey: { documentBytes, indexBytes: sizes } };
}

/** A sweep with nothing to do but lapses, less one that finds none. */
async function measureBatch(store: Store) {
  const { context } = createRuntime(store, { clockSkewToleranceMs: 1000 });
  const measure = async () => {
    sent.length = 0;
    const before = process.cpuUsage();
    const { lapsed } = await sweep(context, () => true);
    return { lapsed, cpuMs: cpuMsSince(before), commands: sent.length };
  };
  await measure();
  const idle = await measure();
  for (let batch = 0; batch < BATCHES; batch++) await addKeys(store, BATCH, true);
  const busy = await measure();
  if (busy.lapsed !== BATCH * BATCHES) throw new Error(`The sweep recorded ${busy.lapsed} lapses`);
  const perBatch = (figure: 'cpuMs' | 'commands') => round((busy[figure] - idle[figure]) / BATCHES);
  return { cpuMs: perBatch('cpuMs'), commands: perBatch('commands') };
}

try {
  for (const store of [mongo, sqlite]) {
    await store.prepare(Date.now(), DEFAULT_POLICY);
    await addKeys(store, BATCH, false);
  }
  const measured = await measureRequests();
  const { cpuMs, commands } = await measureBatch(mongo);
  const { cpuMs: sqliteCpuMs } = await measureBatch(sqlite);
  const event = await client.db().collection('events').findOne({ type: 'lease.lapsed' });
  const eventBytes = BSON.calculateObjectSize(event ?? {});
  const inputs = { ...measured, sweepBatch: { lapses: BATCH, commands, cpuMs, sqliteCpuMs, eventBytes } };
  const text = `${JSON.stringify(inputs, null, 2)}\n`;
  writeFileSync(new URL('load-inputs.json', import.meta.url), text);
  process.stdout.write(text);
} finally {
  await client.db().dropDatabase();
  await Promise.all([client.close(), mongo.close(), sqlite.close()]);
  rmSync(folder, { recursive: true });
}

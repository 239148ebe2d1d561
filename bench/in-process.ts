import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import type { Context as LambdaContext } from 'aws-lambda';
import { cacheAuthorizer } from '../infra/local/authorizer-cache.ts';
import { loadFunctions } from '../infra/local/load-functions.ts';
import { acquireLease } from '../shared/domain/acquire-lease.ts';
import { hashSecret } from '../shared/domain/client.ts';
import type { Context } from '../shared/domain/context.ts';
import { keepAliveLease, releaseLease } from '../shared/domain/leases.ts';
import { sweep } from '../shared/domain/sweep.ts';
import type { ApiEvent } from '../shared/http/api-event.ts';
import { logger } from '../shared/runtime/logger.ts';
import { createRuntime, type Runtime } from '../shared/runtime/runtime.ts';
import { type Parameters, SqliteConnection } from '../shared/store/sqlite/connection.ts';
import { storeOn } from '../shared/store/sqlite/sqlite-store.ts';
import type { Scene } from './fill.ts';

// What is measured without HTTP; `main.ts` runs it and reads the one line of JSON that it prints.

const CALLERS = 64;
const CYCLES = 30;
const CALLER = { clientId: 'bench', role: 'client' } as const;
logger.setLogLevel('ERROR');
const folder = mkdtempSync(join(tmpdir(), 'bench-'));

function fill(scene: Scene): string {
  const SQLITE_PATH = join(folder, `${JSON.stringify(scene).replaceAll(/\W+/g, '-')}.db`);
  const [root, script] = ['..', 'fill.ts'].map((path) => fileURLToPath(new URL(path, import.meta.url)));
  const env = { PATH: process.env.PATH, SQLITE_PATH };
  execFileSync(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', script ?? '', root ?? '', JSON.stringify(scene)],
    { env },
  );
  return SQLITE_PATH;
}

let copies = 0;
function copy(file: string): string {
  copies += 1;
  const path = join(folder, `copy-${copies}.db`);
  copyFileSync(file, path);
  return path;
}

/** Remembers the statements that it was given. */
class Recorder extends SqliteConnection {
  readonly recorded: { sql: string; parameters: Parameters }[] = [];

  override all<Row>(sql: string, parameters: Parameters = {}): Row[] {
    this.recorded.push({ sql, parameters });
    return super.all<Row>(sql, parameters);
  }

  override run(sql: string, parameters: Parameters = {}): number {
    this.recorded.push({ sql, parameters });
    return super.run(sql, parameters);
  }
}

function runtimeOn(connection: SqliteConnection): Runtime {
  return createRuntime(storeOn(connection), { clockSkewToleranceMs: 1000 });
}

async function cycles(context: Context): Promise<void> {
  const one = async () => {
    for (let turn = 0; turn < CYCLES; turn++) {
      const acquired = await acquireLease(context, CALLER, { pool: 'default' });
      if ('waiting' in acquired) throw new Error('Nobody waits in this pool');
      await keepAliveLease(context, CALLER, acquired.lease.leaseId);
      await releaseLease(context, CALLER, acquired.lease.leaseId);
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, one));
}

/** Wall and CPU time per request, in microseconds. */
async function time(work: () => unknown, requests = CALLERS * CYCLES * 3) {
  const [startedAt, cpu] = [performance.now(), process.cpuUsage()];
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return { wall: ((performance.now() - startedAt) * 1000) / requests, cpu: (user + system) / requests };
}

const median = (values: number[]) => values.toSorted((one, other) => one - other)[values.length >> 1] ?? 0;
const free = fill({ keys: 10_000 });

/** Domain and store beside the very statements that they gave to SQLite, in the same groups, on a copy of the database. */
async function compareWithStatements() {
  const results: { service: number; statements: number; serviceCpu: number; statementsCpu: number }[] = [];
  for (let round = 0; round < 7; round++) {
    const connection = new SqliteConnection(copy(free));
    const service = await time(() => cycles(runtimeOn(connection).context));
    connection.close();
    const recorder = new Recorder(copy(free));
    await cycles(runtimeOn(recorder).context);
    recorder.close();

    const database = new DatabaseSync(copy(free));
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
    const prepared = new Map<string, StatementSync>();
    for (const { sql } of recorder.recorded) {
      if (!prepared.has(sql)) prepared.set(sql, database.prepare(sql));
    }
    const bare = await time(() => {
      for (const { sql, parameters } of recorder.recorded) {
        if (sql !== 'COMMIT' && !database.isTransaction) database.exec('BEGIN IMMEDIATE');
        prepared.get(sql)?.all(parameters);
      }
    });
    database.close();
    results.push({
      service: service.wall,
      statements: bare.wall,
      serviceCpu: service.cpu,
      statementsCpu: bare.cpu,
    });
  }
  const warm = results.slice(2);
  const ratios = warm.map(({ service, statements }) => statements / service);
  return {
    serviceMicros: median(warm.map(({ service }) => service)),
    statementMicros: median(warm.map(({ statements }) => statements)),
    ratio: median(ratios),
    cpuRatio: median(warm.map(({ serviceCpu, statementsCpu }) => statementsCpu / serviceCpu)),
  };
}

/** What the wrapper and a known credential add to a call, in microseconds of CPU time. */
async function measureWrapper() {
  const connection = new SqliteConnection(copy(free));
  const runtime = runtimeOn(connection);
  const functions = await loadFunctions(async () => runtime);
  const lambda = { getRemainingTimeInMillis: () => 9000 } as LambdaContext;
  const authorizer = { lambda: { clientId: 'bench', role: 'client', pools: '' } };
  const event = (routeKey: string, leaseId?: string): ApiEvent =>
    ({
      ...{ version: '2.0', routeKey, rawPath: '/', rawQueryString: '', headers: {}, isBase64Encoded: false },
      ...(leaseId !== undefined && { pathParameters: { leaseId } }),
      requestContext: { requestId: 'bench', routeKey, authorizer, http: { sourceIp: '' } },
    }) as unknown as ApiEvent;
  const call = async (name: string, sent: ApiEvent) =>
    (await functions.handlers.get(name)?.(sent, lambda))?.body ?? '{}';
  const wrapped = async () => {
    const one = async () => {
      for (let turn = 0; turn < CYCLES; turn++) {
        const { leaseId } = JSON.parse(await call('acquire-lease', event('POST /v1/leases'))) as {
          leaseId: string;
        };
        await call('keep-alive-lease', event('POST /v1/leases/{leaseId}/keep-alive', leaseId));
        await call('release-lease', event('DELETE /v1/leases/{leaseId}', leaseId));
      }
    };
    await Promise.all(Array.from({ length: CALLERS }, one));
  };
  const secret = 'x'.repeat(40);
  const client = { clientId: 'bench', role: 'client', secretHash: hashSecret(secret), createdAt: 0 } as const;
  await runtime.context.store.clients.put(client);
  const authorize = cacheAuthorizer(functions.authorize);
  const differences: number[] = [];
  const credentials: number[] = [];
  for (let round = 0; round < 7; round++) {
    const bare = await time(() => cycles(runtime.context));
    differences.push((await time(wrapped)).cpu - bare.cpu);
    const asked = await time(async () => {
      for (let i = 0; i < 20_000; i++) await authorize(`Bearer bench.${secret}`);
    }, 20_000);
    credentials.push(asked.cpu);
  }
  connection.close();
  return { wrapperMicros: median(differences.slice(2)), credentialMicros: median(credentials.slice(2)) };
}

/** How many pages SQLite appends to its log for each of the three operations, by one caller alone and by 64 at once. */
async function countPages() {
  const filled = fill({ keys: 100_000, leased: 0.2 });
  const pages: Record<string, number> = {};
  for (const callers of [1, CALLERS]) {
    const connection = new SqliteConnection(copy(filled));
    const { context } = runtimeOn(connection);
    connection.all('PRAGMA wal_autocheckpoint = 0');
    const appended = async (name: string, works: (() => Promise<unknown>)[]) => {
      connection.all('PRAGMA wal_checkpoint(TRUNCATE)');
      for (let done = 0; done < works.length; done += callers)
        await Promise.all(works.slice(done, done + callers).map((work) => work()));
      const { size } = statSync(`${connection.path}-wal`);
      pages[`pages${name} ${callers}`] = size / (4096 + 24) / works.length;
    };
    await acquireLease(context, CALLER, { pool: 'default' });
    const leaseIds: string[] = [];
    const acquire = async () => {
      const acquired = await acquireLease(context, CALLER, { pool: 'default' });
      if ('lease' in acquired) leaseIds.push(acquired.lease.leaseId);
    };
    await appended(
      'Acquire',
      Array.from({ length: 640 }, () => acquire),
    );
    await appended(
      'KeepAlive',
      leaseIds.map((leaseId) => () => keepAliveLease(context, CALLER, leaseId)),
    );
    await appended(
      'Release',
      leaseIds.map((leaseId) => () => releaseLease(context, CALLER, leaseId)),
    );
    connection.close();
  }
  return pages;
}

/** The sweep of 100,000 lapsed leases while 16 callers acquire and release, and their p99 with and without it. */
async function measureSweep() {
  const connection = new SqliteConnection(copy(fill({ keys: 110_000, lapsed: 10 / 11 })));
  const { context } = runtimeOn(connection);
  const p99During = async (work: Promise<unknown> | undefined, ms: number) => {
    const latencies: number[] = [];
    const until = performance.now() + ms;
    let working = work !== undefined;
    void work?.then(() => {
      working = false;
    });
    const one = async () => {
      while (work === undefined ? performance.now() < until : working) {
        const startedAt = performance.now();
        const acquired = await acquireLease(context, CALLER, { pool: 'default' });
        latencies.push(performance.now() - startedAt);
        if ('lease' in acquired) await releaseLease(context, CALLER, acquired.lease.leaseId);
      }
    };
    await Promise.all(Array.from({ length: 16 }, one));
    return latencies.toSorted((a, b) => a - b)[Math.floor(latencies.length * 0.99)] ?? 0;
  };
  await p99During(undefined, 2000);
  const without = await p99During(undefined, 3000);
  const startedAt = performance.now();
  let seconds = 0;
  const sweeping = sweep(context, () => true).then((report) => {
    seconds = (performance.now() - startedAt) / 1000;
    return report;
  });
  const during = await p99During(sweeping, 0);
  const { lapsed } = await sweeping;
  connection.close();
  return { lapsed, lapsedPerSecond: lapsed / seconds, p99: without, p99DuringSweep: during };
}

try {
  console.log(
    JSON.stringify({
      ...(await compareWithStatements()),
      ...(await measureWrapper()),
      ...(await measureSweep()),
      ...(await countPages()),
    }),
  );
} finally {
  rmSync(folder, { recursive: true });
}

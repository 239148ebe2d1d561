import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { drawChart } from './chart.ts';
import type { Scene } from './fill.ts';
import type { Load, PhaseResult } from './load.ts';
import { Bench, CREDENTIAL, type Running, type TargetName } from './targets.ts';

// `npm run bench -- [--before REF] [--rounds N] [--seconds N] [--only TEXT]`: everything that docs/performance.md shows.
// Every case of a group runs once per round, so that whatever else the machine does meets all of them alike.

const { values: options } = parseArgs({
  options: {
    before: { type: 'string', default: 'HEAD^' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '3' },
    only: { type: 'string', default: '' },
  },
});
const ROUNDS = Number(options.rounds);
const MS = Number(options.seconds) * 1000;
/** Until then a process of Node, the callers' as well, grows faster by a third: what is called often is compiled by and by. */
const WARM_UP_MS = 3000;
const { MONGODB_URI } = process.env;

interface Case {
  readonly group: string;
  readonly name: string;
  readonly target: TargetName;
  readonly scene: Scene;
  readonly connections?: number;
  readonly phases?: Load['phases'];
  /** A second load at the same time, which is measured instead. */
  readonly beside?: Load['phases'];
}

interface Row extends Omit<Case, 'phases' | 'beside' | 'scene'> {
  readonly does: string;
  /** Medians over the rounds; of the rate also the least and the greatest. */
  readonly perSecond: number;
  readonly spread: readonly [least: number, greatest: number];
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  /** CPU time of the server per request, in microseconds. */
  readonly cpuMicros: number | undefined;
  readonly memoryMiB: number;
  readonly doubles: number;
  readonly statuses: Record<string, number>;
}

const CYCLE: Load['phases'] = [{ does: 'cycle', ms: MS }];
const STEPS: Load['phases'] = [{ does: 'acquire', count: 5000 }, { does: 'keep-alive' }, { does: 'release' }];
const SCENE: Scene = { keys: 10_000 };
const NAMES: Record<TargetName, string> = {
  now: 'this service',
  before: `commit ${options.before}`,
  echo: 'bare HTTP echo',
  redis: 'Redis, Lua script',
  postgres: 'PostgreSQL, SKIP LOCKED',
  mongo: 'this service on MongoDB',
  express: 'the original design on MongoDB',
};
const SIDE_BY_SIDE: TargetName[] = ['now', 'before', 'echo', 'redis', 'postgres'];

const cases: Case[] = [
  ...SIDE_BY_SIDE.map((target) => ({ group: 'side by side', name: NAMES[target], target, scene: SCENE })),
  ...SIDE_BY_SIDE.map((target) => ({
    group: 'each step',
    name: NAMES[target],
    target,
    scene: SCENE,
    phases: STEPS,
  })),
  ...[1, 16, 64, 256].flatMap((connections) =>
    (['now', 'before', 'echo'] as const).map((target) => ({
      group: 'connections',
      name: `${NAMES[target]}, ${connections}`,
      target,
      scene: SCENE,
      connections,
    })),
  ),
  ...[1e3, 1e4, 1e5, 1e6].map((keys) => ({
    group: 'size of the pool',
    name: `${keys.toLocaleString('en')} keys`,
    target: 'now' as const,
    scene: { keys },
  })),
  ...Object.entries({
    'all free': { keys: 100_000 },
    'none free': { keys: 1000, leased: 1 },
    'no keys': { keys: 0 },
    '99.9 % leased': { keys: 100_000, leased: 0.999 },
    'half expired': { keys: 100_000, expired: 0.5 },
  }).map(([name, scene]) => ({ group: 'state of the pool', name, target: 'now' as const, scene })),
  {
    group: 'figures of 200 pools',
    name: 'GET /v1/pools while leases run',
    target: 'now',
    scene: { keys: 10_000, pools: 199 },
    beside: [{ does: 'pools', ms: MS }],
  },
  ...(MONGODB_URI === undefined
    ? []
    : Object.entries({
        '1,000 free keys': { keys: 1000 },
        '100,000 keys, 90 % leased': { keys: 100_000, leased: 0.9 },
      }).flatMap(([name, scene]) =>
        (['mongo', 'express'] as const).map((target) => ({
          group: 'MongoDB, 16 connections',
          name: `${NAMES[target]}, ${name}`,
          target,
          scene,
          connections: 16,
        })),
      )),
];

const fileOf = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const callers = () => fork(fileOf('load.ts'), { execArgv: [] });

async function call(
  child: ChildProcess,
  running: Running,
  load: Omit<Load, 'port' | 'credential' | 'pool'>,
): Promise<PhaseResult[]> {
  child.send({ ...load, port: running.port, credential: CREDENTIAL, pool: 'default' } satisfies Load);
  const [result] = (await once(child, 'message')) as [PhaseResult[] | { error: string }];
  if ('error' in result) throw new Error(result.error);
  return result;
}

async function measure(bench: Bench, { target, scene, connections = 64, phases = CYCLE, beside }: Case) {
  const running = await bench.start(target, scene);
  const child = callers();
  const another = beside && callers();
  try {
    await call(child, running, { connections, phases: [{ does: 'cycle', ms: WARM_UP_MS }] });
    const cpuBefore = running.cpuMs() ?? Number.NaN;
    const [results, ...others] = await Promise.all([
      call(child, running, { connections, phases }),
      ...(another ? [call(another, running, { connections: 1, phases: beside })] : []),
    ]);
    const count = results.reduce((sum, { statuses }) => sum + total(statuses), 0);
    const cpuMicros = (((running.cpuMs() ?? Number.NaN) - cpuBefore) * 1000) / count;
    const memoryMiB = running.memoryBytes() / 2 ** 20;
    return (others[0] ?? results).map((result) => ({ ...result, cpuMicros, memoryMiB }));
  } catch (error) {
    // A peer may end under the load: that is a result as well.
    return [
      {
        does: `failed: ${error}`,
        perSecond: 0,
        p50: 0,
        p99: 0,
        p999: 0,
        statuses: {},
        doubles: 0,
        cpuMicros: 0,
        memoryMiB: 0,
      },
    ];
  } finally {
    child.kill();
    another?.kill();
    await running.stop();
  }
}

const total = (statuses: Record<string, number>) =>
  Object.values(statuses).reduce((sum, count) => sum + count, 0);
const median = (values: number[]) =>
  values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0;

const machine = `${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}`;
const RESULTS = fileOf('results.json');
/** What the last run found; a run of some groups replaces theirs. */
const results: { machine: string; rows: Row[]; inProcess: Record<string, number> } = existsSync(RESULTS)
  ? JSON.parse(readFileSync(RESULTS, 'utf8'))
  : { machine, rows: [], inProcess: {} };
const groups = [...Map.groupBy(cases, (one) => one.group)];

function save(group: string, rows: readonly Row[]): void {
  const all = [...results.rows.filter((row) => row.group !== group), ...rows];
  const order = (row: Row) => groups.findIndex(([name]) => name === row.group);
  Object.assign(results, { machine, rows: all.toSorted((one, other) => order(one) - order(other)) });
  writeFileSync(RESULTS, `${JSON.stringify(results, null, 2)}\n`);
}

const bench = new Bench(options.before, MONGODB_URI);
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void bench.close().finally(() => process.exit(1)));
}
try {
  for (const [group, members] of groups) {
    if (!group.includes(options.only)) continue;
    const samples = members.map((): Awaited<ReturnType<typeof measure>>[] => []);
    for (let round = 1; round <= ROUNDS; round++) {
      for (const [index, member] of members.entries()) {
        process.stderr.write(`\r\x1b[K${group}: round ${round} of ${ROUNDS}, ${member.name}`);
        samples[index]?.push(await measure(bench, member));
      }
    }
    const rows: Row[] = [];
    for (const [index, { name, target, connections = 64 }] of members.entries()) {
      const rounds = samples[index] ?? [];
      for (const [phase, { does, statuses }] of (rounds[0] ?? []).entries()) {
        const of = (field: 'perSecond' | 'p50' | 'p99' | 'p999' | 'cpuMicros' | 'memoryMiB' | 'doubles') =>
          rounds.map((results) => results[phase]?.[field] ?? 0);
        const rates = of('perSecond');
        rows.push({
          ...{ group, name, target, connections, does, statuses },
          perSecond: median(rates),
          spread: [Math.min(...rates), Math.max(...rates)],
          p50: median(of('p50')),
          p99: median(of('p99')),
          p999: median(of('p999')),
          cpuMicros: median(of('cpuMicros')),
          memoryMiB: median(of('memoryMiB')),
          doubles: of('doubles').reduce((sum, count) => sum + count, 0),
        });
      }
    }
    save(group, rows);
  }
} finally {
  process.stderr.write('\r\x1b[K');
  await bench.close();
}

if ('in process'.includes(options.only)) {
  const words = ['--disable-warning=ExperimentalWarning', fileOf('in-process.ts')];
  results.inProcess = JSON.parse(execFileSync(process.execPath, words).toString());
  save('in process', []);
}

const number = (value: number | undefined, digits = 0) =>
  value?.toLocaleString('en', { maximumFractionDigits: digits }) ?? '';
const TITLE = 'group|what||requests/s|least to greatest|p50 ms|p99 ms|p99.9 ms|CPU us|MiB|doubles'.split('|');
const lines = results.rows.map((row) => [
  ...[
    row.group,
    row.name,
    row.does,
    number(row.perSecond),
    row.spread.map((rate) => number(rate)).join(' to '),
  ],
  ...[
    number(row.p50, 1),
    number(row.p99, 1),
    number(row.p999, 1),
    number(row.cpuMicros),
    number(row.memoryMiB),
  ],
  String(row.doubles),
]);
const table = [TITLE, TITLE.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`);
console.log(table.join('\n'));
for (const [name, value] of Object.entries(results.inProcess)) console.log(`${name}: ${number(value, 2)}`);
console.log(`\n${results.machine}`);
const bars = results.rows.filter(({ group }) => group === 'side by side');
const chart = drawChart(bars.map(({ name, perSecond }) => ({ name, value: perSecond })));
writeFileSync(fileOf('../docs/images/performance.svg'), chart);

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

/**
 * `npm run load-model -- --acquires 10000 --lease 60`: what docs/load.md shows, and the tiers of docs/deploy.md. Counts with what `bench/operations.ts` has
 * measured (`load-inputs.json`), and with what is only assumed: every option.
 */
const { values: options } = parseArgs({
  options: {
    acquires: { type: 'string', default: '10000' },
    lease: { type: 'string', default: '60' },
    held: { type: 'string', default: '60' }, // Seconds until the release.
    keys: { type: 'string', default: '1000000' },
    credentials: { type: 'string', default: '1000' },
    /** How long the database takes for a command with its round trip and its majority, in milliseconds. */
    'database-ms': { type: 'string', default: '10' },
    'memory-mb': { type: 'string', default: '512' },
    lapses: { type: 'string', default: '1000000' },
  },
});
const numbers = Object.fromEntries(Object.entries(options).map(([name, text]) => [name, Number(text)]));
if (!Object.values(numbers).every((number) => number > 0))
  throw new Error('Every option is a number above 0');
const { acquires, lease, held, keys, credentials, lapses } = numbers as Record<keyof typeof options, number>;

interface Inputs {
  readonly requests: Record<'acquire-lease' | 'keep-alive-lease' | 'release-lease', Record<string, number>>;
  readonly leasedKey: { readonly documentBytes: number; readonly indexBytes: Record<string, number> };
  readonly sweepBatch: Record<'lapses' | 'commands' | 'cpuMs' | 'sqliteCpuMs' | 'eventBytes', number>;
}
const inputs = JSON.parse(readFileSync(new URL('load-inputs.json', import.meta.url), 'utf8')) as Inputs;

// The limits, with their sources in docs/load.md.
const GATEWAY_PER_SECOND = 10_000;
const PER_ENVIRONMENT = 10;
const RAMP_PER_SECOND = 100;
const MB_PER_PROCESSOR = 1769;
const EACH_CONNECTS = 3;
const ATLAS_KEEPS = 10; // Connections of each node.
const AUTHORIZER_CACHE_SECONDS = 60;
const SWEEP_SECONDS = 53; // Of 60, less what it keeps in reserve.
const TIERS = [
  { tier: 'M10', connections: 1500, cacheGb: 0.5 },
  { tier: 'M20', connections: 3000, cacheGb: 1 },
  { tier: 'M30', connections: 3000, cacheGb: 2 },
  { tier: 'M40', connections: 6000, cacheGb: 8 },
  { tier: 'M50', connections: 16_000, cacheGb: 16 },
  { tier: 'M60', connections: 32_000, cacheGb: 32 },
];

// Assumed of WiredTiger: a page in memory is three quarters full, and a checkpoint writes what changed in a minute.
const FILL = 0.75;
const PAGE_BYTES = 16_384;
const CHECKPOINT_SECONDS = 60;

const keepAlives = Math.max(0, Math.ceil(held / (lease / 3)) - 1);
const share = (numbers['memory-mb'] as number) / MB_PER_PROCESSOR;
const perSecond = {
  'acquire-lease': acquires,
  'keep-alive-lease': acquires * keepAlives,
  'release-lease': acquires,
};
const names = Object.keys(perSecond) as (keyof typeof perSecond)[];
const requests = names.reduce((sum, name) => sum + perSecond[name], 0);
const total = (figure: string) =>
  names.reduce((sum, name) => sum + perSecond[name] * (inputs.requests[name][figure] ?? 0), 0);

const requestMs = total('cpuMs') / requests / share + (numbers['database-ms'] as number);
const busy = (requests * requestMs) / 1000;
const environments = Math.max(busy, requests / PER_ENVIRONMENT);
const largest = (environments * Math.max(...Object.values(perSecond))) / requests;
const connections = environments * EACH_CONNECTS;

const entryBytes = Object.values(inputs.leasedKey.indexBytes).reduce((sum, bytes) => sum + bytes, 0);
const gigabytes = (count: number) => (count * (inputs.leasedKey.documentBytes + entryBytes)) / FILL / 1e9;
const tierFor = (isEnough: (tier: (typeof TIERS)[number]) => boolean) =>
  TIERS.find(isEnough)?.tier ?? 'more than M60';
const connected = tierFor((tier) => tier.connections - ATLAS_KEEPS >= connections);
const writes = (count: number) => {
  const changed = (total('indexesChanged') + requests) * CHECKPOINT_SECONDS;
  return Math.min((gigabytes(count) * 1e9) / PAGE_BYTES, changed) / CHECKPOINT_SECONDS;
};

const { sweepBatch } = inputs;
const batches = lapses / sweepBatch.lapses;
const sweepSeconds = (processor: number) => (batches * sweepBatch.cpuMs) / 1000 / processor;
const whole = (value: number) => Math.round(value).toLocaleString('en');
const tenths = (value: number) => value.toLocaleString('en', { maximumFractionDigits: 1 });

const rows: [string, string][] = [
  ['requests a second', `${whole(requests)} (${keepAlives} keep-alives a lease)`],
  ['leases at once', `${whole(acquires * held)}${acquires * held > keys ? ': MORE THAN KEYS' : ''}`],
  ['gateway, of its default quota', `${tenths(requests / GATEWAY_PER_SECOND)} times`],
  ['authorizer, calls a second', `${tenths(credentials / AUTHORIZER_CACHE_SECONDS)}`],
  ['milliseconds a request', `${tenths(requestMs)}`],
  ['environments at work; quota of concurrency', `${whole(busy)}; ${whole(requests / PER_ENVIRONMENT)}`],
  ['ramp of the largest function, seconds', `${tenths(largest / RAMP_PER_SECOND)}`],
  [
    'connections, of those at work; of the quota',
    `${whole(busy * EACH_CONNECTS)}; ${whole(connections)}: ${connected}`,
  ],
  ['commands a second, all majority writes', `${whole(total('commands'))}`],
  ['command MB a second', `${tenths(total('commandBytes') / 1e6)}`],
  ['index entries changed a second', `${whole(total('indexesChanged'))}`],
  ['bytes of a leased key; of its index entries', `${inputs.leasedKey.documentBytes}; ${entryBytes}`],
  ...[keys, keys * 10].map((count): [string, string] => {
    const size = gigabytes(count);
    const tier = tierFor(({ cacheGb }) => cacheGb * 0.8 >= size);
    return [
      `GB of ${whole(count)} keys, by size alone; page writes a second`,
      `${tenths(size)}: ${tier}; ${whole(writes(count))}`,
    ];
  }),
  ['log and metrics, GB a day', `${whole((total('logBytes') * 86_400) / 1e9)}`],
  ['sweep: batches; commands', `${whole(batches)}; ${whole(batches * sweepBatch.commands)}`],
  ['sweep, seconds of processor; at this memory', `${whole(sweepSeconds(1))}; ${whole(sweepSeconds(share))}`],
  ['lapses of one sweep at this memory, at most', `${whole((lapses * SWEEP_SECONDS) / sweepSeconds(share))}`],
  ['sweep on SQLite, processor seconds', `${whole((batches * sweepBatch.sqliteCpuMs) / 1000)}`],
  ['events of these lapses, GB', `${tenths((lapses * sweepBatch.eventBytes) / 1e9)}`],
];
console.log('| what | how much |\n|---|---|');
for (const [what, howMuch] of rows) console.log(`| ${what} | ${howMuch} |`);

console.log(
  `\n| tier | connections per node | less ${ATLAS_KEEPS} that Atlas keeps, by ${EACH_CONNECTS}: environments | requests a second, ${PER_ENVIRONMENT} for each |\n|---|---|---|---|`,
);
for (const { tier, connections: each } of TIERS) {
  const most = Math.floor((each - ATLAS_KEEPS) / EACH_CONNECTS);
  console.log(`| ${tier} | ${whole(each)} | ${whole(most)} | ${whole(most * PER_ENVIRONMENT)} |`);
}

import type { Command } from 'commander';
import type { Usage, UsagePoint } from '../../../shared/contract/usage.ts';
import { adviseOnUsage } from '../../sdk/advise-on-usage.ts';
import { type CommonOptions, defineJsonCommand, perform } from '../define-command.ts';
import { parseWhole } from '../parse-arguments.ts';
import { formatFields, print } from '../print.ts';

interface UsageOptions extends CommonOptions {
  readonly hours: number;
  readonly step?: number;
}

const USAGE_FIELDS = {
  pool: true,
  from: true,
  to: true,
  stepMinutes: true,
  resolutionMinutes: true,
  keys: true,
  totals: true,
  points: true,
} as const satisfies Record<keyof Usage, true>;

const BARS = '▁▂▃▄▅▆▇█';
const CHART_WIDTH = 60;
const MINUTE_MS = 60_000;

export function addUsageCommand(pools: Command): void {
  defineJsonCommand(pools, {
    usage: 'usage <pool>',
    description: 'Show how many keys of a pool were needed',
    example: 'pools usage licences --hours 168',
    fields: USAGE_FIELDS,
  })
    .option('--hours <count>', 'how far back, up to 9600', parseWhole(1), 720)
    .option('--step <minutes>', 'minutes of a point', parseWhole(1))
    .action((pool: string, options: UsageOptions) =>
      perform(options, async (client) => {
        const { hours, step = stepFor(hours) } = options;
        const usage = await client.pools.usage(pool, { hours, step });
        print(options, usage, () => describeUsage(usage, hours));
      }),
    );
}

/** Such that the chart is as wide as it may be. Beyond 7 days, whole hours are all that is known. */
function stepFor(hours: number): number {
  const minutes = Math.ceil((hours * 60) / CHART_WIDTH);
  return hours > 168 ? Math.ceil(minutes / 60) * 60 : minutes;
}

/** Figures, a chart, and what they come to. */
export function describeUsage(usage: Usage, hours: number): string {
  const { pool, totals, from, to } = usage;
  const show = (count: number | null) =>
    count === null ? 'unknown' : `${count}${totals.atLeast ? '+' : ''}`;
  return [
    formatFields([
      ['Pool', pool],
      ['Peak', show(totals.peak)],
      ['50 %', show(totals.p50)],
      ['95 %', show(totals.p95)],
      ['99 %', show(totals.p99)],
      ['99.9 %', show(totals.p999)],
      ['Minutes', `${totals.minutes}, of which refused ${totals.refusedMinutes}`],
    ]),
    '',
    ...drawChart(usage),
    `${from} to ${to}`,
    '',
    adviseOnUsage(usage, hours),
  ].join('\n');
}

/** The peak of each step; a blank where nothing is known, and a mark below where callers were refused. */
function drawChart({ from, to, stepMinutes, points }: Usage): string[] {
  const stepMs = stepMinutes * MINUTE_MS;
  const steps = new Map<number, UsagePoint>(points.map((point) => [Date.parse(point.at), point]));
  const top = Math.max(1, ...points.map(({ peak = 0 }) => peak));
  let bars = '';
  let marks = '';
  for (let at = Date.parse(from); at < Date.parse(to); at += stepMs) {
    const point = steps.get(at);
    const height = point?.peak === undefined ? undefined : Math.ceil((point.peak / top) * (BARS.length - 1));
    bars += height === undefined ? ' ' : BARS[height];
    marks += (point?.refusedMinutes ?? 0) > 0 ? '!' : ' ';
  }
  return [bars, ...(marks.trim() === '' ? [] : [marks.trimEnd()])];
}

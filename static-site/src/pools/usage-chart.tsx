import { useState } from 'preact/hooks';
import type { Pool } from '../../../shared/contract/pools.ts';
import { drawSteps, highest, stepsFrom, type UsageStep } from '../components/usage-steps.ts';
import { addCounts, type Count, formatCount, formatNumber } from '../text/format-count.ts';
import { tickTimes } from '../time/tick-times.ts';

interface UsageChartProps {
  readonly points: readonly UsageStep[];
  /** Milliseconds since the epoch. */
  readonly from: number;
  readonly to: number;
  /** Where steps begin in which a caller was refused. */
  readonly refused: readonly number[];
  readonly stepMs: number;
  /** What it shows, for people who do not see it. */
  readonly title: string;
  /** The numbers of now. */
  readonly counts: Pool['counts'];
}

const WIDTH = 1000;
const HEIGHT = 100;

const time = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

/**
 * Leased and cooling keys, stacked, below a line for all keys. By hand: uPlot does this and much more for 22 KB of 80, and
 * draws on a canvas, which has to be told of each change of size and of colours.
 */
export function UsageChart({ points, from, to, refused, stepMs, title, counts }: UsageChartProps) {
  /** Where the pointer is, from 0 to 1. */
  const [pointer, setPointer] = useState<number | undefined>(undefined);
  const steps = stepsFrom(points, from);
  const top = topOf(steps);
  const scale = {
    x: (at: number) => (WIDTH * (at - from)) / (to - from),
    y: (amount: number) => HEIGHT * (1 - amount / top),
    to,
  };
  const keys = drawSteps(steps, 'keys', scale);
  const taken = drawSteps(steps, 'taken', scale);
  const leased = drawSteps(steps, 'leased', scale);
  const pointed = pointer === undefined ? undefined : from + pointer * (to - from);
  const step = pointed === undefined ? undefined : steps.findLast(({ at }) => at <= pointed);
  const now = countsNow(counts);
  return (
    <div>
      <Legend counts={counts} step={step} at={pointed} hasRefusals={refused.length > 0} />
      <div
        class="relative mt-3 mr-3 mb-5 ml-11 h-32"
        role="img"
        aria-label={`${title}; ${formatCount(now.leased)} leased and ${formatCount(now.cooling)} cooling of ${formatCount(now.keys)} keys now`}
      >
        {[0, top / 2, top].map((amount) => (
          <div
            key={amount}
            class="absolute inset-x-0 border-t border-grid text-[0.6875rem] text-muted tabular-nums"
            style={{ top: `${scale.y(amount)}%` }}
          >
            <span class="absolute right-full mr-2 -translate-y-1/2">{formatNumber(amount)}</span>
          </div>
        ))}
        {tickTimes(from, to).map(({ at, text }) => (
          <span
            key={at}
            class="absolute top-full mt-1.5 -translate-x-1/2 text-[0.6875rem] whitespace-nowrap text-muted tabular-nums"
            style={{ left: `${(100 * (at - from)) / (to - from)}%` }}
          >
            {text}
          </span>
        ))}
        <svg
          class="chart absolute inset-0 size-full"
          viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
          preserveAspectRatio="none"
          aria-hidden="true"
          onPointerMove={(event) => {
            const { left, width } = event.currentTarget.getBoundingClientRect();
            setPointer(Math.min(1, Math.max(0, (event.clientX - left) / width)));
          }}
          onPointerLeave={() => setPointer(undefined)}
        >
          <path class="chart-cooling" d={taken.area} />
          <path class="chart-leased" d={leased.area} />
          <path class="chart-cooling-line" d={taken.line} />
          <path class="chart-leased-line" d={leased.line} />
          {refused.map((at) => (
            <path
              key={at}
              class="chart-refused"
              d={`M${scale.x(Math.max(from, at))} 1H${scale.x(Math.min(to, at + stepMs))}`}
            />
          ))}
          <path class="chart-keys-line" d={keys.line} />
          {pointer !== undefined && <path class="chart-pointer" d={`M${pointer * WIDTH} 0V${HEIGHT}`} />}
        </svg>
      </div>
    </div>
  );
}

interface LegendProps {
  readonly counts: Pool['counts'];
  readonly step: UsageStep | undefined;
  /** Undefined: now. */
  readonly at: number | undefined;
  readonly hasRefusals: boolean;
}

function Legend({ counts, step, at, hasRefusals }: LegendProps) {
  const { leased, cooling, keys } = at === undefined ? countsNow(counts) : countsThen(step);
  return (
    <div class="flex flex-wrap items-center gap-x-5 gap-y-1 text-xs text-muted tabular-nums">
      <Entry fill="fill-leased" name="leased" value={leased} />
      <Entry fill="fill-cooling" name="cooling" value={cooling} />
      <Entry fill="bg-muted" name="all keys" value={keys} line />
      {hasRefusals && <Entry fill="chart-refused-mark" name="a caller was refused" />}
      <span class="ml-auto">{at === undefined ? 'now' : time.format(at)}</span>
    </div>
  );
}

/** Paused keys are of no use to anybody, and so not among those that there are. */
function countsNow({ leased, cooling, free }: Pool['counts']) {
  return { leased, cooling, keys: addCounts([leased, cooling, free]) };
}

/** A step does not say which of its numbers are lower bounds: those that may be. */
function countsThen({ leased, taken, keys }: Partial<UsageStep> = {}) {
  if (leased === undefined || taken === undefined || keys === undefined) return {};
  const counted = (count: number): Count => ({ count, relation: count < 10_000 ? 'exact' : 'atLeast' });
  return { leased: counted(leased), cooling: counted(taken - leased), keys: counted(keys) };
}

interface EntryProps {
  readonly fill: string;
  readonly name: string;
  readonly value?: Count | undefined;
  readonly line?: boolean;
}

function Entry({ fill, name, value, line = false }: EntryProps) {
  return (
    <span class="flex items-center gap-1.5">
      <span class={`${line ? 'h-0.5 w-3' : 'size-2.5 rounded-[3px]'} ${fill}`} aria-hidden="true" />
      {name}
      {value !== undefined && <span class="font-semibold text-ink">{formatCount(value)}</span>}
    </span>
  );
}

/** The scale includes the line of all keys, unless the keys in use would look flat below it. Even, so that it can be halved. */
function topOf(steps: readonly UsageStep[]): number {
  const used = highest(steps, 'taken');
  const total = highest(steps, 'keys');
  const wanted = Math.max(4, (total <= Math.max(10, used * 12) ? total : used) * 1.1);
  const unit = 10 ** Math.floor(Math.log10(wanted));
  return (
    [1, 2, 3, 4, 5, 6, 8, 10].map((factor) => factor * unit).find((top) => top >= wanted && top % 2 === 0) ??
    wanted
  );
}

import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import { type Count, formatCount, formatNumber } from '../text/format-count.ts';
import { paletteVersion, readColour } from '../theme/theme.ts';
import { HISTORY_MS, type Sample, type Usage, usageAt } from './usage-history.ts';

interface UsageChartProps {
  readonly history: readonly Sample[];
  /** Undefined: all together. */
  readonly pool: string | undefined;
  readonly height: number;
}

/** The least time span of the chart, in milliseconds. */
const LEAST_MS = 60_000;

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });

/** Leased and cooling keys, stacked, below a line for all keys. */
export function UsageChart({ history, pool, height }: UsageChartProps) {
  const frame = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot>(undefined);
  const [hovered, setHovered] = useState<number | null>(null);
  const palette = paletteVersion.value;
  const data = toSeries(history, pool);
  const latest = useRef(data);
  latest.current = data;
  useEffect(() => {
    const element = frame.current;
    if (element === null) return undefined;
    const plot = new uPlot(options(element.clientWidth, height, setHovered), latest.current, element);
    chart.current = plot;
    const observer = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.destroy();
    };
  }, [height, palette]);

  useEffect(() => {
    chart.current?.setData(data);
  });

  const shown = hovered === null ? history.at(-1) : history[hovered];
  const usage = shown === undefined ? undefined : usageAt(shown, pool);
  return (
    <div>
      <Legend usage={usage} at={hovered === null ? undefined : shown?.at} />
      <div
        ref={frame}
        role="img"
        aria-label={describe(usage)}
        class="mt-3 -ml-1"
        style={{ height: `${height}px` }}
      />
    </div>
  );
}

function Legend({ usage, at }: { usage: Usage | undefined; at: number | undefined }) {
  return (
    <div class="flex flex-wrap items-center gap-x-5 gap-y-1 text-xs text-muted tabular-nums">
      <Entry fill="fill-leased" name="leased" value={usage?.leased} />
      <Entry fill="fill-cooling" name="cooling" value={usage?.cooling} />
      <Entry fill="bg-muted" name="all keys" value={usage?.total} line />
      <span class="ml-auto">{at === undefined ? 'now' : clock.format(at)}</span>
    </div>
  );
}

interface EntryProps {
  readonly fill: string;
  readonly name: string;
  readonly value: Count | undefined;
  readonly line?: boolean;
}

function Entry({ fill, name, value, line = false }: EntryProps) {
  return (
    <span class="flex items-center gap-1.5">
      <span class={`${line ? 'h-0.5 w-3' : 'size-2.5 rounded-[3px]'} ${fill}`} aria-hidden="true" />
      {name}
      <span class="font-semibold text-ink">{value === undefined ? '–' : formatCount(value)}</span>
    </span>
  );
}

function describe(usage: Usage | undefined): string {
  if (usage === undefined) return 'Chart of the last five minutes; nothing is known of this moment';
  const { leased, cooling, total } = usage;
  return `Chart of the last five minutes; ${formatCount(leased)} leased and ${formatCount(cooling)} cooling of ${formatCount(total)} keys`;
}

function toSeries(history: readonly Sample[], pool: string | undefined): uPlot.AlignedData {
  const usages = history.map((sample) => usageAt(sample, pool));
  return [
    history.map(({ at }) => at / 1000),
    usages.map((usage) => usage?.total.count ?? null),
    usages.map((usage) => (usage === undefined ? null : usage.leased.count + usage.cooling.count)),
    usages.map((usage) => usage?.leased.count ?? null),
  ];
}

function options(width: number, height: number, onHover: (index: number | null) => void): uPlot.Options {
  const muted = readColour('muted');
  const grid = { stroke: readColour('grid'), width: 1 };
  const ticks = { show: false };
  const font = '11px "Inter Variable", system-ui, sans-serif';
  const leased = readColour('fill-leased');
  const cooling = readColour('fill-cooling');
  const step = uPlot.paths.stepped?.({ align: -1 });
  const base = { paths: step as uPlot.Series.PathBuilder, points: { show: false } };
  return {
    width,
    height,
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
    padding: [8, 28, 0, 0],
    scales: {
      x: { time: true, range: (plot) => timeRange(plot.data[0][0]) },
      y: { range: (plot) => [0, topOf(plot)] },
    },
    axes: [
      {
        stroke: muted,
        grid: { show: false },
        ticks,
        font,
        size: 26,
        space: 100,
        values: (_, times) => times.map(formatTime),
      },
      {
        stroke: muted,
        grid,
        ticks,
        font,
        size: 44,
        incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 50_000, 100_000, 500_000],
        values: (_, values) => values.map(formatNumber),
      },
    ],
    series: [
      {},
      { ...base, label: 'all keys', stroke: muted, width: 1.5, dash: [4, 4] },
      { ...base, label: 'cooling', stroke: cooling, width: 1.5, fill: translucent(cooling) },
      { ...base, label: 'leased', stroke: leased, width: 2, fill: translucent(leased) },
    ],
    bands: [{ series: [2, 3], fill: translucent(cooling) }],
    hooks: { setCursor: [(plot) => onHover(plot.cursor.idx ?? null)] },
  };
}

/** From the first sample to now; at least a minute, so that the scale does not jump at the start. */
function timeRange(first: number | undefined): uPlot.Range.MinMax {
  const now = Date.now();
  const start = Math.min(now - LEAST_MS, first === undefined ? now : first * 1000);
  return [Math.max(start, now - HISTORY_MS) / 1000, now / 1000];
}

/** The scale includes the line of all keys, unless the keys in use would look flat below it. */
function topOf(plot: uPlot): number {
  const used = highest(plot.data[2]);
  const total = highest(plot.data[1]);
  const wanted = total <= Math.max(10, used * 12) ? total : used;
  return Math.max(4, Math.ceil(wanted * 1.15));
}

function highest(values: ArrayLike<number | null | undefined> | undefined): number {
  let top = 0;
  for (const value of Array.from(values ?? [])) top = Math.max(top, value ?? 0);
  return top;
}

const minute = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const second = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit' });

function formatTime(epochSeconds: number): string {
  return (epochSeconds % 60 === 0 ? minute : second).format(epochSeconds * 1000);
}

function translucent(colour: string): string {
  return colour.replace(/^rgba?\(([^)]*)\)$/, (_, channels: string) => {
    const [red, green, blue] = channels.split(/[\s,/]+/);
    return `rgba(${red}, ${green}, ${blue}, 0.22)`;
  });
}

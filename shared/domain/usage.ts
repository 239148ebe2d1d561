import { MINUTES_KEPT_HOURS } from '../contract/primitives.ts';
import type { ListUsageResponse, Usage, UsagePoint, UsageTotals } from '../contract/usage.ts';
import { type Caller, requirePool } from './client.ts';
import type { Context } from './context.ts';
import { describeCount, toTime } from './describe.ts';
import { InvalidRequestError } from './errors.ts';
import { poolReference } from './pool.ts';
import { findPools } from './pools.ts';
import { toUsage } from './record-usage.ts';
import type { UsageEntry } from './store.ts';
import { MINUTE_MS, USAGE_UNITS, type UsageUnit } from './usage-units.ts';

/** Lengths of a step in minutes, of which the first that gives few enough points is taken. */
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440];
/** Points of a response that names no step, of one that does, and of each pool where all are asked for. */
const POINTS = 500;
const MOST_POINTS = 1500;
const FEW_POINTS = 60;
/** For how many hours each pool's minutes are read where all are asked for; beyond it, its hours. */
const FEW_HOURS = 3;

interface Window {
  readonly unit: UsageUnit;
  readonly stepMs: number;
  readonly from: number;
  readonly to: number;
}

/**
 * How many keys of a pool were needed, point by point and in all.
 * @throws PoolNotFoundError, InvalidRequestError, ForbiddenError
 */
export async function getUsage(
  context: Context,
  caller: Caller,
  name: string,
  { hours, step }: { hours: number; step?: number | undefined },
): Promise<Usage> {
  requirePool(caller, name);
  const now = context.clock();
  const pool = await context.pools.get(name, now);
  const unit = hours > MINUTES_KEPT_HOURS ? 'hour' : 'minute';
  const window = makeWindow(now, hours, { unit, step: step ?? stepFor(hours, unit, POINTS) });
  const [entries, counts] = await Promise.all([
    context.store.usage.list({ pool: name, ...window }),
    context.counts.get(poolReference(pool), now),
  ]);
  const { keys, atLeast } = toUsage(counts);
  return {
    pool: name,
    ...describeWindow(window),
    keys: describeCount(keys, atLeast),
    totals: totalsOf(entries),
    points: pointsOf(entries, window),
  };
}

/** A page of the pools that the caller may see, by name, each with few points. */
export async function listUsage(
  context: Context,
  caller: Caller,
  { hours, ...page }: { hours: number; limit: number; after?: string | undefined },
): Promise<{ usage: Omit<ListUsageResponse, 'nextCursor'>; next?: string | undefined }> {
  const unit = hours > FEW_HOURS ? 'hour' : 'minute';
  const window = makeWindow(context.clock(), hours, { unit, step: stepFor(hours, unit, FEW_POINTS) });
  const found = await findPools(context, caller, page);
  const pools = await Promise.all(
    found.page.map(async ({ name: pool }) => {
      return { pool, points: pointsOf(await context.store.usage.list({ pool, ...window }), window) };
    }),
  );
  return { usage: { ...describeWindow(window), pools }, next: found.last?.name };
}

function stepFor(hours: number, unit: UsageUnit, points: number): number {
  const shortest = USAGE_UNITS[unit].ms / MINUTE_MS;
  return STEPS.find((step) => step >= shortest && (hours * 60) / step <= points) as number;
}

/** The steps, whole ones, of which the last has `now` in it. @throws InvalidRequestError */
function makeWindow(now: number, hours: number, { unit, step }: { unit: UsageUnit; step: number }): Window {
  const refuse = (message: string) => new InvalidRequestError([{ path: 'step', message }]);
  if (step % (USAGE_UNITS[unit].ms / MINUTE_MS) !== 0) {
    throw refuse(`Must be a multiple of 60 for more than ${MINUTES_KEPT_HOURS} hours`);
  }
  const count = Math.ceil((hours * 60) / step);
  if (count > MOST_POINTS) throw refuse(`Must be at least ${Math.ceil((hours * 60) / MOST_POINTS)}`);
  const stepMs = step * MINUTE_MS;
  const to = (Math.floor(now / stepMs) + 1) * stepMs;
  return { unit, stepMs, from: to - count * stepMs, to };
}

function describeWindow({ unit, stepMs, from, to }: Window) {
  const resolutionMinutes = unit === 'minute' ? 1 : 60;
  return { from: toTime(from), to: toTime(to), stepMinutes: stepMs / MINUTE_MS, resolutionMinutes } as const;
}

/** Where an acquire was refused every key was taken, however few were when somebody counted. */
function peakOf({ figures, refusedMinutes }: UsageEntry): number | undefined {
  return refusedMinutes > 0 ? figures?.keys : figures?.taken;
}

function pointsOf(entries: readonly UsageEntry[], { stepMs }: Window): UsagePoint[] {
  const steps = Map.groupBy(entries, ({ at }) => Math.floor(at / stepMs) * stepMs);
  return [...steps].map(([at, step]) => {
    const figures = step.flatMap((entry) => entry.figures ?? []);
    const known = { at: toTime(at), ...countMinutes(step) };
    if (figures.length === 0) return known;
    const most = (figure: 'keys' | 'leased' | 'cooling' | 'waiting') =>
      Math.max(...figures.map((each) => each[figure]));
    const least = (figure: 'leastLeased' | 'free') => Math.min(...figures.map((each) => each[figure]));
    return {
      ...known,
      peak: greatestPeak(step) as number,
      keys: most('keys'),
      leased: most('leased'),
      leastLeased: least('leastLeased'),
      free: least('free'),
      cooling: most('cooling'),
      waiting: most('waiting'),
      ...atLeastOf(step),
    };
  });
}

function totalsOf(entries: readonly UsageEntry[]): UsageTotals {
  const counted = countMinutes(entries);
  // What was needed in a minute in which an acquire was refused is not known, but that it was more than there was.
  const needs = entries
    .flatMap(({ figures, minutes, refusedMinutes }) =>
      figures === undefined ? [] : { keys: figures.taken, minutes: minutes - refusedMinutes },
    )
    .sort((one, other) => one.keys - other.keys);
  const covering = (share: number): number | null => {
    let left = Math.ceil(counted.minutes * share);
    const need = needs.find(({ minutes }) => {
      left -= minutes;
      return left <= 0;
    });
    return need?.keys ?? null;
  };
  return {
    ...counted,
    peak: greatestPeak(entries) ?? null,
    p50: covering(0.5),
    p95: covering(0.95),
    p99: covering(0.99),
    p999: covering(0.999),
    ...atLeastOf(entries),
  };
}

function countMinutes(entries: readonly UsageEntry[]) {
  const sum = (field: 'minutes' | 'refusedMinutes') =>
    entries.reduce((total, entry) => total + entry[field], 0);
  return { minutes: sum('minutes'), refusedMinutes: sum('refusedMinutes') };
}

function greatestPeak(entries: readonly UsageEntry[]): number | undefined {
  const peaks = entries.flatMap((entry) => peakOf(entry) ?? []);
  return peaks.length === 0 ? undefined : Math.max(...peaks);
}

function atLeastOf(entries: readonly UsageEntry[]): { atLeast?: true } {
  return entries.some(({ figures }) => figures?.atLeast) ? { atLeast: true } : {};
}

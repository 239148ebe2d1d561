import type { UpdateFilter } from 'mongodb';
import type { UsageEntry, UsageSample, UsageStore } from '../../domain/store.ts';
import { HOUR_MS, MINUTE_MS, USAGE_UNITS, type UsageUnit } from '../../domain/usage-units.ts';
import type { Commands } from './commands.ts';
import { ID_INDEX } from './schema.ts';

/** How much time one document is about: a pool has 168 of minutes and 400 of hours. */
const SPAN_MS = { minute: HOUR_MS, hour: 24 * HOUR_MS } as const satisfies Record<UsageUnit, number>;

/** What is known of a minute or hour. Short names: they are stored 84 times an hour and pool. */
interface EntryFields {
  /** The minutes of which there is a sample, and those in which an acquire was refused, by their number in the hour. */
  readonly s: Readonly<Record<string, true>>;
  readonly r?: Readonly<Record<string, true>>;
  /** leased, cooling, waiting, taken, keys: the most. */
  readonly l?: number;
  readonly c?: number;
  readonly w?: number;
  readonly t?: number;
  readonly k?: number;
  /** leased, free: the least. */
  readonly m?: number;
  readonly f?: number;
  /** 1: a count came to its limit. */
  readonly a?: number;
}

/** The minutes of an hour, or the hours of a day. */
interface UsageDocument {
  /** The pool's name, the unit, and where the document's span begins. */
  readonly _id: string;
  readonly expiresAt: Date;
  /** By their number within the span. */
  readonly entries: Readonly<Record<string, EntryFields>>;
}

export type UsageCommands = Commands<UsageDocument>;

export const usage = { record, list, removeExpired };

const UNITS = Object.keys(USAGE_UNITS) as UsageUnit[];

/**
 * One command for all samples, two documents for each. Every operator gives the same in whatever order, and however often,
 * it is carried out.
 *
 * Race: two samples of an hour that has no document yet; the one that is refused is written once more, and finds it.
 */
async function record(documents: UsageCommands, samples: readonly UsageSample[]): Promise<void> {
  let open = samples.flatMap((sample) => UNITS.map((unit) => upsertOf(sample, unit)));
  while (open.length > 0) {
    const refused = new Set(await documents.upsertEach(open));
    open = open.filter((_, place) => refused.has(place));
  }
}

function upsertOf({ pool, at, figures, refused }: UsageSample, unit: UsageUnit) {
  const start = startOf(at, unit);
  const path = `entries.${Math.floor((at - start) / USAGE_UNITS[unit].ms)}`;
  const prefixed = (fields: object) =>
    Object.fromEntries(Object.entries(fields).map(([name, value]) => [`${path}.${name}`, value]));
  const minute = Math.floor(at / MINUTE_MS) % 60;
  const update = {
    $set: prefixed({ [`s.${minute}`]: true, ...(refused && { [`r.${minute}`]: true }) }),
    $setOnInsert: { expiresAt: new Date(start + SPAN_MS[unit] + USAGE_UNITS[unit].keptMs) },
    ...(figures && {
      $max: prefixed({
        l: figures.leased,
        c: figures.cooling,
        w: figures.waiting,
        t: figures.taken,
        k: figures.keys,
        a: figures.atLeast ? 1 : 0,
      }),
      $min: prefixed({ m: figures.leased, f: figures.free }),
    }),
  };
  return { filter: { _id: idOf(pool, unit, start) }, update: update as UpdateFilter<UsageDocument> };
}

/** A range of the primary key: the documents of one pool and unit in the order of time. */
async function list(
  documents: UsageCommands,
  { pool, unit, from, to }: Parameters<UsageStore['list']>[0],
): Promise<UsageEntry[]> {
  const found = await documents.find(
    { _id: { $gte: idOf(pool, unit, startOf(from, unit)), $lt: idOf(pool, unit, to) } },
    { hint: ID_INDEX, sort: ID_INDEX },
  );
  return found
    .flatMap(({ _id, entries }) => {
      const start = Date.parse(_id.slice(_id.lastIndexOf(' ') + 1));
      return Object.entries(entries).map(([number, fields]) =>
        toEntry(start + Number(number) * USAGE_UNITS[unit].ms, fields),
      );
    })
    .filter(({ at }) => at >= from && at < to)
    .sort((one, other) => one.at - other.at);
}

/** Index: `expiresAt` (the one that MongoDB's own removal goes by), then the primary key. */
async function removeExpired(
  documents: UsageCommands,
  { now, limit }: Parameters<UsageStore['removeExpired']>[0],
): Promise<number> {
  const expired = { expiresAt: { $lte: new Date(now) } };
  const found = await documents.find(expired, { limit, projection: { _id: 1 } });
  if (found.length === 0) return 0;
  return documents.deleteMany({ _id: { $in: found.map(({ _id }) => _id) } }, { hint: ID_INDEX });
}

function startOf(at: number, unit: UsageUnit): number {
  return Math.floor(at / SPAN_MS[unit]) * SPAN_MS[unit];
}

/** ISO 8601 sorts by time; no name of a pool has a space. */
function idOf(pool: string, unit: UsageUnit, start: number): string {
  return `${pool} ${unit} ${new Date(start).toISOString()}`;
}

function toEntry(at: number, fields: EntryFields): UsageEntry {
  const { s, r = {}, l, c = 0, w = 0, t = 0, k = 0, m = 0, f = 0, a } = fields;
  return {
    at,
    minutes: Object.keys(s).length,
    refusedMinutes: Object.keys(r).length,
    figures:
      l === undefined
        ? undefined
        : { leased: l, leastLeased: m, free: f, cooling: c, waiting: w, taken: t, keys: k, atLeast: a === 1 },
  };
}

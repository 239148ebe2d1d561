import type { UsageEntry, UsageStore } from '../../domain/store.ts';
import { MINUTE_MS, USAGE_UNITS, type UsageUnit } from '../../domain/usage-units.ts';
import type { SqliteConnection } from './connection.ts';

interface UsageRow {
  readonly at: number;
  /** Minutes of the hour as bits, 30 of them in each number: JavaScript has no 60 in one. */
  readonly sampled_low: number;
  readonly sampled_high: number;
  readonly refused_low: number;
  readonly refused_high: number;
  /** Null, as are the other figures, where an acquire was refused and nobody counted. */
  readonly leased: number | null;
  readonly least_leased: number;
  readonly free: number;
  readonly cooling: number;
  readonly waiting: number;
  readonly taken: number;
  readonly keys: number;
  readonly at_least: number;
}

const UNITS = Object.keys(USAGE_UNITS) as UsageUnit[];

/** `max(NULL, 1)` is null, so that a figure that only one of the two has stands for both. */
const greater = (column: string) =>
  `${column} = max(ifnull(${column}, excluded.${column}), ifnull(excluded.${column}, ${column}))`;
const lesser = (column: string) => greater(column).replace('max(', 'min(');
const both = (column: string) => `${column} = ${column} | excluded.${column}`;

/** Gives the same in whatever order, and however often, it is carried out. By primary key. */
const RECORD = `
  INSERT INTO usage (
    pool, unit, at, expires_at, sampled_low, sampled_high, refused_low, refused_high,
    leased, least_leased, free, cooling, waiting, taken, keys, at_least
  ) VALUES (
    :pool, :unit, :at, :expiresAt, :low, :high, iif(:refused, :low, 0), iif(:refused, :high, 0),
    :leased, :leased, :free, :cooling, :waiting, :taken, :keys, :atLeast
  )
  ON CONFLICT (pool, unit, at) DO UPDATE SET
    ${['sampled_low', 'sampled_high', 'refused_low', 'refused_high', 'at_least'].map(both)},
    ${['leased', 'cooling', 'waiting', 'taken', 'keys'].map(greater)},
    ${['least_leased', 'free'].map(lesser)}`;

const LIST = `
  SELECT * FROM usage WHERE pool = :pool AND unit = :unit AND at >= :from AND at < :to ORDER BY at`;

const REMOVE_EXPIRED = `
  DELETE FROM usage WHERE (pool, unit, at) IN (
    SELECT pool, unit, at FROM usage INDEXED BY usage_by_expiry WHERE expires_at <= :now LIMIT :limit
  )`;

export function usage(connection: SqliteConnection): UsageStore {
  return {
    async record(samples) {
      connection.immediately(() => {
        for (const { pool, at, figures, refused } of samples) {
          const minute = Math.floor(at / MINUTE_MS) % 60;
          const [low, high] = minute < 30 ? [2 ** minute, 0] : [0, 2 ** (minute - 30)];
          for (const unit of UNITS) {
            const { ms, keptMs } = USAGE_UNITS[unit];
            const start = Math.floor(at / ms) * ms;
            connection.run(RECORD, {
              pool,
              unit,
              at: start,
              expiresAt: start + ms + keptMs,
              low,
              high,
              refused: Number(refused),
              leased: figures?.leased ?? null,
              free: figures?.free ?? null,
              cooling: figures?.cooling ?? null,
              waiting: figures?.waiting ?? null,
              taken: figures?.taken ?? null,
              keys: figures?.keys ?? null,
              atLeast: Number(figures?.atLeast ?? false),
            });
          }
        }
      });
    },
    async list({ pool, unit, from, to }) {
      return connection.all<UsageRow>(LIST, { pool, unit, from, to }).map(toEntry);
    },
    async removeExpired(query) {
      return connection.run(REMOVE_EXPIRED, query);
    },
  };
}

function toEntry(row: UsageRow): UsageEntry {
  const { leased, free, cooling, waiting, taken, keys } = row;
  return {
    at: row.at,
    minutes: countBits(row.sampled_low) + countBits(row.sampled_high),
    refusedMinutes: countBits(row.refused_low) + countBits(row.refused_high),
    figures:
      leased === null
        ? undefined
        : {
            leased,
            leastLeased: row.least_leased,
            free,
            cooling,
            waiting,
            taken,
            keys,
            atLeast: row.at_least === 1,
          },
  };
}

function countBits(bits: number): number {
  return bits.toString(2).replaceAll('0', '').length;
}

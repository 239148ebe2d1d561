import {
  type ClearedPool,
  nextGeneration,
  type Pool,
  type PoolPolicy,
  readPolicy,
} from '../../domain/pool.ts';
import type { PoolStore } from '../../domain/store.ts';
import type { SqliteConnection } from './connection.ts';

interface PoolRow {
  readonly name: string;
  readonly generation: number;
  /** JSON. */
  readonly policy: string;
  readonly created_at: number;
  readonly updated_at: number;
  readonly deleted: number;
  readonly cleared_at: number | null;
  readonly refreshed_at: number | null;
}

const GET = 'SELECT * FROM pools WHERE name = :name AND NOT deleted';

/**
 * Race closed: it was created since it was found missing. A deleted pool comes back with the generation that its
 * deletion began, so that its old keys stay gone.
 */
const CREATE = `
  INSERT INTO pools (name, generation, policy, created_at, updated_at)
  VALUES (:name, :generation, :policy, :now, :now)
  ON CONFLICT (name) DO UPDATE SET
    policy = excluded.policy, created_at = excluded.created_at, updated_at = excluded.updated_at, deleted = 0
  WHERE deleted
  RETURNING *`;

/** Race closed: the pool was changed or cleared since it was found. */
const UPDATE = `
  UPDATE pools SET
    policy = :policy, updated_at = max(:now, updated_at + 1), refreshed_at = coalesce(:refreshedAt, refreshed_at)
  WHERE name = :name AND generation = :generation AND updated_at = :updatedAt AND NOT deleted
  RETURNING *`;

/** Races closed: the pool was cleared since it was found; a refresh of a later moment was noted first. */
const REQUEST_REFRESH = `
  UPDATE pools SET refreshed_at = max(coalesce(refreshed_at, :refreshedAt), :refreshedAt)
  WHERE name = :name AND generation = :generation AND NOT deleted`;

/** Race closed: another refresh was asked for meanwhile. */
const FORGET_REFRESH = `
  UPDATE pools SET refreshed_at = NULL
  WHERE name = :name AND generation = :generation AND refreshed_at = :refreshedAt`;

/** Race closed: the pool was cleared since it was found. */
const CLEAR = `
  UPDATE pools SET generation = :generation, cleared_at = :now, deleted = :deleted, refreshed_at = NULL
  WHERE name = :name AND generation = :foundGeneration AND NOT deleted`;

const LIST = 'SELECT * FROM pools WHERE name > :after AND NOT deleted ORDER BY name LIMIT :limit';

const LIST_CLEARED = 'SELECT * FROM pools INDEXED BY pools_cleared WHERE cleared_at IS NOT NULL';

/** Races closed, in both: the pool was cleared again, which gave it another generation; it was created again. */
const FORGET_DELETED = 'DELETE FROM pools WHERE name = :name AND generation = :generation AND deleted';
const FORGET_EMPTIED = 'UPDATE pools SET cleared_at = NULL WHERE name = :name AND generation = :generation';

export function pools(connection: SqliteConnection): PoolStore {
  return {
    async get(name) {
      return toPoolOrNull(connection.row<PoolRow>(GET, { name }));
    },
    async create(name, policy, now) {
      const pool = { name, generation: nextGeneration(0, now), policy: JSON.stringify(policy), now };
      return toPoolOrNull(connection.row<PoolRow>(CREATE, pool));
    },
    async update({ name, generation, updatedAt }, { policy, now, refreshedAt = null }) {
      const change = { policy: JSON.stringify(policy), now, refreshedAt };
      return toPoolOrNull(connection.row<PoolRow>(UPDATE, { name, generation, updatedAt, ...change }));
    },
    async requestRefresh({ name, generation }, refreshedAt) {
      return connection.run(REQUEST_REFRESH, { name, generation, refreshedAt }) > 0;
    },
    async forgetRefresh({ name, generation, refreshedAt = null }) {
      connection.run(FORGET_REFRESH, { name, generation, refreshedAt });
    },
    async clear({ name, generation: foundGeneration }, { generation, now, deleted }) {
      return connection.run(CLEAR, { name, foundGeneration, generation, now, deleted: Number(deleted) }) > 0;
    },
    async list({ limit, after = '' }) {
      return connection.all<PoolRow>(LIST, { limit, after }).map(toPool);
    },
    async listCleared() {
      return connection.all<PoolRow>(LIST_CLEARED).map(toClearedPool);
    },
    async forgetCleared({ name, generation }) {
      connection.run(FORGET_DELETED, { name, generation });
      connection.run(FORGET_EMPTIED, { name, generation });
    },
  };
}

function toPoolOrNull(row: PoolRow | undefined): Pool | null {
  return row === undefined ? null : toPool(row);
}

function toPool(row: PoolRow): Pool {
  return {
    name: row.name,
    generation: row.generation,
    policy: readPolicy(JSON.parse(row.policy) as Partial<PoolPolicy>),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    clearedAt: row.cleared_at ?? undefined,
    refreshedAt: row.refreshed_at ?? undefined,
  };
}

function toClearedPool(row: PoolRow): ClearedPool {
  return {
    name: row.name,
    generation: row.generation,
    clearedAt: row.cleared_at as number,
    deleted: row.deleted === 1,
  };
}

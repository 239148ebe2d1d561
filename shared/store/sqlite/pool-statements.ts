import { type ClearedPool, nextGeneration, type Pool, type PoolPolicy } from '../../domain/pool.ts';
import type { PoolStore } from '../../domain/store.ts';
import type { Parameters, SqliteConnection } from './sqlite-connection.ts';

interface PoolRow {
  readonly name: string;
  readonly generation: number;
  readonly lease_seconds: number;
  readonly key_ttl_seconds: number | null;
  readonly max_keys: number | null;
  readonly paused: number;
  readonly created_at: number;
  readonly updated_at: number;
  readonly deleted: number;
  readonly cleared_at: number;
}

const FIND = 'SELECT * FROM pools WHERE name = :name AND NOT deleted';

const INSERT = `
  INSERT INTO pools (
    name, generation, lease_seconds, key_ttl_seconds, max_keys, paused, created_at, updated_at
  ) VALUES (:name, :generation, :leaseSeconds, :keyTtlSeconds, :maxKeys, :paused, :now, :now)
  ON CONFLICT (name)`;

const CREATE_IF_MISSING = `${INSERT} DO NOTHING`;

/** A deleted pool comes back with the generation that its deletion began, so that its old keys stay gone. */
const CREATE = `${INSERT} DO UPDATE SET
    lease_seconds = excluded.lease_seconds, key_ttl_seconds = excluded.key_ttl_seconds,
    max_keys = excluded.max_keys, paused = excluded.paused,
    created_at = excluded.created_at, updated_at = excluded.updated_at, deleted = 0
  WHERE deleted
  RETURNING *`;

const REPLACE_POLICY = `
  UPDATE pools SET
    lease_seconds = :leaseSeconds, key_ttl_seconds = :keyTtlSeconds,
    max_keys = :maxKeys, paused = :paused, updated_at = :now
  WHERE name = :name AND NOT deleted
  RETURNING *`;

/** Race closed: the pool was cleared since it was found. */
const CLEAR = `
  UPDATE pools SET generation = :generation, cleared_at = :now, deleted = :deleted
  WHERE name = :name AND generation = :foundGeneration AND NOT deleted`;

const LIST = 'SELECT * FROM pools WHERE name > :after AND NOT deleted ORDER BY name LIMIT :limit';

const LIST_CLEARED = 'SELECT * FROM pools INDEXED BY pools_cleared WHERE cleared_at IS NOT NULL';

/** Races closed, in both: the pool was cleared again, which gave it another generation; it was created again. */
const FORGET_DELETED = 'DELETE FROM pools WHERE name = :name AND generation = :generation AND deleted';
const FORGET_EMPTIED = 'UPDATE pools SET cleared_at = NULL WHERE name = :name AND generation = :generation';

export function poolStatements(connection: SqliteConnection): PoolStore {
  return {
    async find(name) {
      const [row] = connection.all<PoolRow>(FIND, { name });
      return row === undefined ? null : toPool(row);
    },
    async put(name, policy, now) {
      // Race closed: the pool is created or deleted between the two statements.
      return connection.immediately(() => {
        const [created] = connection.all<PoolRow>(CREATE, insertParameters(name, policy, now));
        if (created !== undefined) return { pool: toPool(created), created: true };
        const [replaced] = connection.all<PoolRow>(REPLACE_POLICY, policyParameters(name, policy, now));
        return { pool: toPool(replaced as PoolRow), created: false };
      });
    },
    async createIfMissing(name, policy, now) {
      connection.run(CREATE_IF_MISSING, insertParameters(name, policy, now));
    },
    async clear(found, { generation, now, deleted }) {
      const { name, generation: foundGeneration } = found;
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

function policyParameters(name: string, policy: PoolPolicy, now: number): Parameters {
  const { leaseSeconds, keyTtlSeconds, maxKeys, paused } = policy;
  return { name, leaseSeconds, keyTtlSeconds, maxKeys, paused: Number(paused), now };
}

function insertParameters(name: string, policy: PoolPolicy, now: number): Parameters {
  return { ...policyParameters(name, policy, now), generation: nextGeneration(0, now) };
}

function toPool(row: PoolRow): Pool {
  return {
    name: row.name,
    generation: row.generation,
    leaseSeconds: row.lease_seconds,
    keyTtlSeconds: row.key_ttl_seconds,
    maxKeys: row.max_keys,
    paused: row.paused === 1,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

function toClearedPool(row: PoolRow): ClearedPool {
  return {
    name: row.name,
    generation: row.generation,
    clearedAt: row.cleared_at,
    deleted: row.deleted === 1,
  };
}

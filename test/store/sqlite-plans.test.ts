import { describe, expect, it } from 'vitest';
import type { KeyPage, Store } from '../../shared/domain/store.ts';
import { type Parameters, SqliteConnection } from '../../shared/store/sqlite/sqlite-connection.ts';
import { storeOn } from '../../shared/store/sqlite/sqlite-store.ts';
import { EVERY_VERB } from './contract/every-verb.ts';
import { NOW, POOL } from './contract/scene.ts';

class WatchedConnection extends SqliteConnection {
  readonly statements: string[] = [];

  override all<Row>(sql: string, parameters?: Parameters): Row[] {
    this.statements.push(sql);
    return super.all<Row>(sql, parameters);
  }

  override run(sql: string, parameters?: Parameters): number {
    this.statements.push(sql);
    return super.run(sql, parameters);
  }
}

/** What SQLite plans for the statements of a verb, line by line. */
async function planOf(verb: (store: Store) => Promise<unknown>): Promise<string[]> {
  const connection = new WatchedConnection(':memory:');
  const store = storeOn(connection);
  await store.prepare(NOW);
  connection.statements.length = 0;
  await verb(store);
  const statements = connection.statements.filter((sql) => /^\s*(SELECT|UPDATE|DELETE|INSERT)/.test(sql));
  const lines = statements.flatMap((sql) => connection.all<{ detail: string }>(`EXPLAIN QUERY PLAN ${sql}`));
  await store.close();
  return lines.map(({ detail }) => detail);
}

const isOfTable = (line: string) => /^(SEARCH|SCAN) (keys|pools|clients)\b/.test(line);

/** The lines that say how a table is read, without the words that are always there. */
async function readsOf(verb: (store: Store) => Promise<unknown>): Promise<string[]> {
  const lines = (await planOf(verb)).filter(isOfTable);
  return [...new Set(lines.map((line) => line.replace(/^SEARCH \w+ USING (COVERING )?INDEX /, '')))];
}

const BY_KEY_ID = 'sqlite_autoindex_keys_1 (key_id=?)';

/** Each verb reads by these indexes, so that a thousand keys and a million cost the same. */
const READS: Record<string, string[]> = {
  'keys.create': ['keys_by_free_at (pool=?)'],
  'keys.claim': [BY_KEY_ID, 'keys_by_slot (pool=? AND state=? AND slot>?)'],
  'keys.findClaimable': ['keys_by_free_at (pool=? AND state=?)'],
  'keys.reclaim': [BY_KEY_ID],
  'keys.confirmRequest': ['keys_by_request (request_hash=?)'],
  'keys.extend': [BY_KEY_ID],
  'keys.release': [BY_KEY_ID],
  'keys.recordLapse': [BY_KEY_ID],
  'keys.unblock': [BY_KEY_ID],
  'keys.delete': [BY_KEY_ID],
  'keys.refresh': [BY_KEY_ID],
  'keys.find': [BY_KEY_ID],
  'keys.recall': [BY_KEY_ID],
  'keys.list': ['keys_by_slot (pool=? AND state=? AND slot>?)'],
  'keys.listLeased': ['keys_by_client (lease_client=? AND key_id>?)'],
  'keys.count': [
    'keys_by_free_at (pool=? AND state=? AND free_at<?)',
    'keys_by_free_at (pool=? AND state=? AND free_at>?)',
  ],
  'keys.findLapsed': ['keys_by_free_at (pool=? AND state=? AND free_at<?)'],
  'keys.recordLapses': [BY_KEY_ID],
  'keys.removeExpired': [BY_KEY_ID, 'keys_by_expiry (expires_at<?)'],
  'keys.removeGenerations': [BY_KEY_ID, 'keys_by_free_at (pool>? AND pool<?)'],
  'pools.find': ['sqlite_autoindex_pools_1 (name=?)'],
  'pools.put': [],
  'pools.createIfMissing': [],
  'pools.clear': ['sqlite_autoindex_pools_1 (name=?)'],
  'pools.list': ['sqlite_autoindex_pools_1 (name>?)'],
  'pools.listCleared': ['pools_cleared (cleared_at>?)'],
  'pools.forgetCleared': ['sqlite_autoindex_pools_1 (name=?)'],
  'clients.put': [],
  'clients.find': ['sqlite_autoindex_clients_1 (client_id=?)'],
  'clients.list': ['sqlite_autoindex_clients_1 (client_id>?)'],
  'clients.remove': ['sqlite_autoindex_clients_1 (client_id=?)'],
};

describe('the SQLite store', () => {
  const verbs = Object.entries(EVERY_VERB).filter(([name]) => name.includes('.'));

  it.each(verbs)('reads by its indexes for %s', async (name, verb) => {
    expect(await readsOf(verb)).toStrictEqual(READS[name]);
  });

  it.each(verbs)('reads in the order of the index for %s, without sorting', async (_, verb) => {
    const plan = await planOf(verb);
    const sorted = plan.filter((line, i) => line.includes('TEMP B-TREE') && isOfTable(plan[i - 1] ?? ''));
    expect(sorted).toStrictEqual([]);
  });

  const bySlot = 'keys_by_slot (pool=? AND state=? AND slot>?)';
  it.each<[KeyPage['state'], string[]]>([
    ['free', [bySlot, 'keys_by_free_at (pool=? AND state=? AND free_at<?)']],
    ['leased', [bySlot]],
    ['cooling', ['keys_by_free_at (pool=? AND state=? AND free_at>?)']],
    [undefined, [bySlot]],
  ])('reads by its indexes for a list of %s keys, with or without a search', async (state, reads) => {
    const page = { pool: POOL, now: NOW, limit: 10, ...(state !== undefined && { state }) };
    expect(await readsOf(({ keys }) => keys.list(page))).toStrictEqual(reads);
    expect(await readsOf(({ keys }) => keys.list({ ...page, search: 'key_' }))).toStrictEqual(reads);
  });
});

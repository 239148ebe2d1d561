import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it, vi } from 'vitest';
import type { Store } from '../../shared/domain/store.ts';
import { type Parameters, SqliteConnection } from '../../shared/store/sqlite/connection.ts';
import { storeOn } from '../../shared/store/sqlite/sqlite-store.ts';
import { EVERY_VERB } from './contract/every-verb.ts';
import { NOW } from './contract/scene.ts';

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
  const statements = connection.statements.filter((sql) =>
    /^\s*(WITH|SELECT|UPDATE|DELETE|INSERT)/.test(sql),
  );
  const lines = statements.flatMap((sql) => connection.all<{ detail: string }>(`EXPLAIN QUERY PLAN ${sql}`));
  await store.close();
  return lines.map(({ detail }) => detail);
}

const isOfTable = (line: string) =>
  /^(SEARCH|SCAN) (keys|pools|clients|tickets|queues|creations|value_tokens|events|deliveries|sqlite_sequence|usage)\b/.test(
    line,
  );

/** The lines that say how a table is read, without the words that are always there. */
async function readsOf(verb: (store: Store) => Promise<unknown>): Promise<string[]> {
  const lines = (await planOf(verb)).filter(isOfTable);
  return [...new Set(lines.map((line) => line.replace(/^SEARCH \w+ USING (COVERING )?(INDEX )?/, '')))];
}

const BY_KEY_ID = 'sqlite_autoindex_keys_1 (key_id=?)';
/** The row that an index names. */
const BY_ROW = 'INTEGER PRIMARY KEY (rowid=?)';
const BY_REQUEST = 'keys_by_request (request_hash=?)';
const BY_NAME = 'sqlite_autoindex_pools_1 (name=?)';
const BY_CLIENT_ID = 'sqlite_autoindex_clients_1 (client_id=?)';

/** Each verb reads by these indexes, so that a thousand keys and a million cost the same. */
const READS: Record<string, string[]> = {
  'keys.create': [
    'keys_by_value (value_hash=?)',
    'keys_by_free_at (pool>? AND pool<?)',
    'keys_by_free_at (pool=?)',
    'keys_by_free_at (pool=? AND state=? AND free_at>?)',
  ],
  'keys.beginCreation': ['creations_by_expiry (expires_at<?)', 'PRIMARY KEY (request_hash=?)'],
  'keys.finishCreation': ['PRIMARY KEY (request_hash=?)'],
  'keys.listStored': [BY_KEY_ID],
  'keys.listByValue': ['keys_by_value (value_hash=?)'],
  'keys.reserveTokens': ['PRIMARY KEY (value_hash=?)'],
  'keys.remove': [BY_KEY_ID],
  'keys.mint': [],
  'keys.mintMissing': [],
  'keys.listSeated': ['keys_by_seat (seat_pool=? AND seat>? AND seat<?)'],
  'keys.countSeated': ['keys_by_seat (seat_pool=? AND seat>? AND seat<?)'],
  'keys.listSeatedFree': [
    'keys_by_free_at (pool>? AND pool<?)',
    'keys_by_free_at (pool=? AND state=? AND free_at<?)',
  ],
  'keys.countBeyond': [
    'keys_by_free_at (pool>? AND pool<?)',
    'keys_by_free_at (pool=? AND state=? AND free_at>?)',
  ],
  'keys.removeBeyond': [BY_ROW, 'keys_by_free_at (pool=? AND state=? AND free_at<?)'],
  'keys.listClientSeats': ['keys_by_client_seat (client_seat>? AND client_seat<?)'],
  'keys.setLabels': [BY_KEY_ID],
  'keys.claim': [BY_ROW, 'keys_by_slot (pool=? AND state=? AND slot>? AND slot<?)', BY_REQUEST],
  'keys.listClaimable': [
    'keys_by_free_at (pool=? AND state=? AND free_at<?)',
    BY_REQUEST,
    'keys_by_free_at (pool=? AND state=? AND free_at>?)',
  ],
  'keys.reclaim': [BY_KEY_ID, BY_REQUEST],
  'keys.confirmRequest': [BY_REQUEST],
  'keys.measureSlots': ['keys_by_slot (pool=? AND state=?)'],
  'keys.extend': [BY_KEY_ID],
  'keys.release': [BY_KEY_ID],
  'keys.recordLapse': [BY_KEY_ID],
  'keys.unblock': [BY_KEY_ID],
  'keys.delete': [BY_KEY_ID],
  'keys.pause': [BY_KEY_ID],
  'keys.resume': [BY_KEY_ID],
  'keys.refresh': [BY_KEY_ID],
  'keys.get': [BY_KEY_ID],
  'keys.getStored': [BY_KEY_ID],
  'keys.list': [
    'keys_by_slot (pool=? AND state=? AND slot>?)',
    'keys_by_slot (pool=? AND state=? AND slot>? AND slot<?)',
  ],
  'keys.listLeased': ['keys_by_client (lease_client=? AND (lease_acquired_at,key_id)>(?,?))'],
  'keys.listLeasingClients': ['keys_by_client (lease_client>?)'],
  'keys.count': [
    'keys_by_free_at (pool=? AND state=? AND free_at<?)',
    'keys_by_pause (pool=?)',
    'keys_by_free_at (pool=? AND state=? AND free_at>?)',
  ],
  'keys.listLapsed': ['keys_by_free_at (pool=? AND state=? AND free_at<?)'],
  'keys.recordLapses': [BY_KEY_ID],
  'keys.listNoted': ['SCAN keys USING INDEX keys_by_notes'],
  'keys.clearNotes': [BY_KEY_ID],
  'keys.applyLifetime': [
    BY_ROW,
    'keys_by_expiry (pool=? AND expires_at>? AND expires_at<?)',
    'keys_by_expiry (pool=? AND expires_at>?)',
  ],
  'keys.removeExpired': [
    BY_ROW,
    'keys_by_expiry',
    'keys_by_expiry (pool>?)',
    'keys_by_expiry (pool=? AND expires_at<?)',
  ],
  'keys.removeGenerations': [BY_ROW, 'keys_by_free_at (pool>? AND pool<?)'],
  'pools.get': [BY_NAME],
  'pools.create': [],
  'pools.update': [BY_NAME],
  'pools.requestRefresh': [BY_NAME],
  'pools.forgetRefresh': [BY_NAME],
  'pools.clear': [BY_NAME],
  'pools.list': ['sqlite_autoindex_pools_1 (name>?)'],
  'pools.listCleared': ['pools_cleared (cleared_at>?)'],
  'pools.forgetCleared': [BY_NAME],
  'tickets.create': [],
  'tickets.use': ['PRIMARY KEY (ticket_id=?)'],
  'tickets.countAhead': ['tickets_by_place (pool=? AND (place,number)<(?,?))'],
  'tickets.list': ['tickets_by_place (pool=? AND (place,number)>(?,?))'],
  'tickets.get': ['PRIMARY KEY (ticket_id=?)'],
  'tickets.remove': ['PRIMARY KEY (ticket_id=?)'],
  'tickets.removeLapsed': ['PRIMARY KEY (ticket_id=?)', 'tickets_by_expiry (expires_at<?)'],
  'events.add': [],
  'events.list': ['SCAN sqlite_sequence', 'INTEGER PRIMARY KEY (rowid>? AND rowid<?)'],
  'events.removeExpired': [BY_ROW, 'events_by_expiry (expires_at<?)'],
  'events.claimDelivery': [],
  'events.finishDelivery': ['PRIMARY KEY (receiver=?)'],
  'events.getDelivery': ['PRIMARY KEY (receiver=?)'],
  'usage.record': [],
  'usage.list': ['PRIMARY KEY (pool=? AND unit=? AND at>? AND at<?)'],
  'usage.removeExpired': ['PRIMARY KEY (pool=? AND unit=? AND at=?)', 'usage_by_expiry (expires_at<?)'],
  'clients.put': [],
  'clients.get': [BY_CLIENT_ID],
  'clients.list': ['sqlite_autoindex_clients_1 (client_id>?)'],
  'clients.rotate': [BY_CLIENT_ID, 'SCAN clients USING INDEX lasting_admins'],
  'clients.noteUse': [BY_CLIENT_ID],
  'clients.remove': [BY_CLIENT_ID, 'SCAN clients USING INDEX lasting_admins'],
};

describe('the SQLite store', () => {
  const verbs = Object.entries(EVERY_VERB).filter(([name]) => name.includes('.'));

  it.each(verbs)('reads by its indexes for %s', async (name, verb) => {
    expect(await readsOf(verb)).toEqual(READS[name]);
  });

  it.each(verbs)('reads in the order of the index for %s, without sorting', async (_, verb) => {
    const plan = await planOf(verb);
    const sorted = plan.filter((line, i) => line.includes('TEMP B-TREE') && isOfTable(plan[i - 1] ?? ''));
    expect(sorted).toEqual([]);
  });

  it('leaves no parameter alone behind LIMIT, where each binding would have the statement planned anew', async () => {
    const prepare = vi.spyOn(DatabaseSync.prototype, 'prepare');
    for (const [, verb] of verbs) await planOf(verb);
    const prepared = prepare.mock.calls.map(([sql]) => sql);
    prepare.mockRestore();
    expect(prepared.filter((sql) => /LIMIT/.test(sql)).length).toBeGreaterThan(20);
    expect(prepared.filter((sql) => /LIMIT\s+[:@$?]/.test(sql))).toEqual([]);
  });
});

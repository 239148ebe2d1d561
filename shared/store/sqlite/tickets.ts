import type { Ticket, TicketStore } from '../../domain/store.ts';
import type { SqliteConnection } from './connection.ts';

interface TicketRow {
  readonly ticket_id: string;
  readonly pool: string;
  readonly client_id: string;
  readonly holder: string | null;
  readonly priority: number;
  readonly count: number;
  readonly created_at: number;
  readonly number: number;
  readonly place: number;
  readonly expires_at: number;
}

/** Race closed: two tickets are given at once. One statement counts and remembers the latest time. */
const NEXT = `
  INSERT INTO queues (pool, number, latest_at) VALUES (:pool, 1, :now)
  ON CONFLICT (pool) DO UPDATE SET number = number + 1, latest_at = max(latest_at, :now)
  RETURNING number, latest_at AS createdAt`;

/** A request that is repeated keeps its ticket. */
const CREATE = `
  INSERT INTO tickets (ticket_id, pool, client_id, holder, priority, count, created_at, number, place, expires_at)
  VALUES (:ticketId, :pool, :clientId, :holder, :priority, :count, :createdAt, :number, :place, :expiresAt)
  ON CONFLICT (ticket_id) DO UPDATE SET
    pool = excluded.pool, client_id = excluded.client_id, holder = excluded.holder, priority = excluded.priority,
    count = excluded.count, created_at = excluded.created_at, number = excluded.number, place = excluded.place,
    expires_at = excluded.expires_at
  RETURNING *`;

/** Race closed: the ticket lapsed, or left the queue, since it was looked at. By primary key. */
const USE = `
  UPDATE tickets SET expires_at = max(expires_at, :expiresAt)
  WHERE ticket_id = :ticketId AND pool = :pool AND client_id = :clientId AND expires_at > :now
  RETURNING *`;

/** Decided within the index. */
const COUNT_AHEAD = `
  SELECT min(coalesce(sum(count), 0), :limit) AS count FROM (
    SELECT count FROM tickets INDEXED BY tickets_by_place
    WHERE pool = :pool AND (place, number) < (:place, :number) AND expires_at > :now
    LIMIT :limit
  )`;

const LIST = `
  SELECT * FROM tickets INDEXED BY tickets_by_place
  WHERE pool = :pool AND (place, number) > (:place, :number) AND expires_at > :now
  ORDER BY place, number LIMIT :limit`;

const GET = 'SELECT * FROM tickets WHERE ticket_id = :ticketId';
const REMOVE = 'DELETE FROM tickets WHERE ticket_id = :ticketId';

/** Race closed: a ticket was used since it was found lapsed. Look and removal are one statement. */
const REMOVE_LAPSED = `
  DELETE FROM tickets WHERE ticket_id IN (
    SELECT ticket_id FROM tickets INDEXED BY tickets_by_expiry WHERE expires_at <= :now LIMIT :limit
  )`;

export function tickets(connection: SqliteConnection): TicketStore {
  return {
    async create(
      { ticketId, pool, clientId, holder = null, priority, count, expiresAt },
      { now, advanceMs },
    ) {
      return connection.immediately(() => {
        const next = connection.row<{ number: number; createdAt: number }>(NEXT, { pool, now });
        const { number = 0, createdAt = now } = next ?? {};
        const place = createdAt - advanceMs;
        const ticket = {
          ticketId,
          pool,
          clientId,
          holder,
          priority,
          count,
          createdAt,
          number,
          place,
          expiresAt,
        };
        return toTicket(connection.row<TicketRow>(CREATE, ticket) as TicketRow);
      });
    },
    async use(query) {
      return toTicketOrNull(connection.row<TicketRow>(USE, query));
    },
    async countAhead({ pool, before, now, limit }) {
      const { order: place, number } = before ?? LAST;
      return connection.row<{ count: number }>(COUNT_AHEAD, { pool, place, number, now, limit })?.count ?? 0;
    },
    async list({ pool, now, limit, after: [place, number] = [Number.MIN_SAFE_INTEGER, 0] }) {
      return connection.all<TicketRow>(LIST, { pool, place, number, now, limit }).map(toTicket);
    },
    async get(ticketId) {
      return toTicketOrNull(connection.row<TicketRow>(GET, { ticketId }));
    },
    async remove(ticketId) {
      return connection.run(REMOVE, { ticketId }) > 0;
    },
    async removeLapsed(query) {
      return connection.run(REMOVE_LAPSED, query);
    },
  };
}

/** After every ticket. */
const LAST = { order: Number.MAX_SAFE_INTEGER, number: 0 };

function toTicketOrNull(row: TicketRow | undefined): Ticket | null {
  return row === undefined ? null : toTicket(row);
}

function toTicket(row: TicketRow): Ticket {
  return {
    ticketId: row.ticket_id,
    pool: row.pool,
    clientId: row.client_id,
    holder: row.holder ?? undefined,
    priority: row.priority,
    count: row.count,
    createdAt: row.created_at,
    number: row.number,
    order: row.place,
    expiresAt: row.expires_at,
  };
}

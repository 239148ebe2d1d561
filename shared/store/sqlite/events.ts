import type { Event } from '../../domain/events.ts';
import type { EventFilter, EventStore, PlacedEvent } from '../../domain/store.ts';
import type { SqliteConnection } from './connection.ts';

/** The position is given under the write lock, so that events are committed in their order. */
const ADD = `
  INSERT INTO events (event_id, type, pool, key_id, client_id, event, expires_at)
  VALUES (:eventId, :type, :pool, :keyId, :clientId, :event, :expiresAt)
  ON CONFLICT (event_id) DO NOTHING`;

/** The latest position that was given, also where its event was removed. */
const LAST_POSITION = "SELECT seq AS position FROM sqlite_sequence WHERE name = 'events'";

/** The events of each list by its index; the row id, which every index ends with, has them in their order. */
const NARROWED: Record<keyof EventFilter | 'all', string> = {
  all: 'events NOT INDEXED WHERE true',
  pool: 'events INDEXED BY events_by_pool WHERE pool = :value',
  type: 'events INDEXED BY events_by_type WHERE type = :value',
  keyId: 'events INDEXED BY events_by_key WHERE key_id = :value',
  clientId: 'events INDEXED BY events_by_client WHERE client_id = :value',
  holder: "events INDEXED BY events_by_holder WHERE event ->> 'holder' = :value",
};

const REMOVE_EXPIRED = `
  DELETE FROM events WHERE position IN (
    SELECT position FROM events INDEXED BY events_by_expiry WHERE expires_at <= :now LIMIT :limit
  )`;

/** Race closed: two senders at once. One statement makes one of them the owner. */
const CLAIM_DELIVERY = `
  INSERT INTO deliveries (receiver, owner, until, sent_to) VALUES (:receiver, :owner, :until, 0)
  ON CONFLICT (receiver) DO UPDATE SET owner = :owner, until = :until
    WHERE owner = :owner OR until <= :now
  RETURNING sent_to AS sentTo`;

const FINISH_DELIVERY = `
  UPDATE deliveries SET sent_to = max(sent_to, :sentTo), until = 0
  WHERE receiver = :receiver AND owner = :owner`;

const GET_DELIVERY = 'SELECT sent_to AS sentTo FROM deliveries WHERE receiver = :receiver';

export function events(connection: SqliteConnection): EventStore {
  return {
    async add(added, { expiresAt }) {
      connection.immediately(() => {
        for (const event of added) {
          const { eventId, type, pool = null, keyId = null, clientId = null } = event;
          const columns = { eventId, type, pool, keyId, clientId, event: JSON.stringify(event), expiresAt };
          connection.run(ADD, columns);
        }
      });
    },
    async list({ limit, after = 0, tail = false, by }) {
      // Read first: what is added after it comes behind it.
      const last = connection.row<{ position: number }>(LAST_POSITION)?.position ?? 0;
      const sql = `
        SELECT position, event FROM ${NARROWED[by?.field ?? 'all']} AND position > :after AND position <= :last
        ORDER BY position ${tail ? 'DESC' : 'ASC'} LIMIT :limit`;
      const rows = connection.all<{ position: number; event: string }>(sql, {
        after,
        last,
        limit,
        ...(by && { value: by.value }),
      });
      if (tail) rows.reverse();
      const found = rows.map(({ position, event }): PlacedEvent => {
        return { ...(JSON.parse(event) as Event), position };
      });
      const isFull = !tail && found.length === limit;
      return { events: found, next: isFull ? (found.at(-1)?.position ?? after) : Math.max(after, last) };
    },
    async removeExpired(query) {
      return connection.run(REMOVE_EXPIRED, query);
    },
    async claimDelivery(query) {
      return connection.row<{ sentTo: number }>(CLAIM_DELIVERY, query) ?? null;
    },
    async finishDelivery(query) {
      return connection.run(FINISH_DELIVERY, query) > 0;
    },
    async getDelivery(receiver) {
      return connection.row<{ sentTo: number }>(GET_DELIVERY, { receiver }) ?? null;
    },
  };
}

import { setTimeout } from 'node:timers/promises';
import { type Event, makeEvent } from './events.ts';
import type { NotedKey, Store } from './store.ts';
import { MINUTE_MS } from './usage-units.ts';

/** How long a caller who is refused waits for the record of it, in milliseconds. */
const REFUSAL_WAIT_MS = 200;

/** How long events are kept unless the configuration says otherwise, in milliseconds. */
const EVENT_RETENTION_MS = 86_400_000;

/** Records what happened, for as long as it is kept. */
export class EventLog {
  readonly #store: Store;
  readonly #retentionMs: number;
  /** The minute in which this process last noted that a pool was exhausted. */
  readonly #exhaustedIn = new Map<string, number>();

  constructor(store: Store, retentionMs = EVENT_RETENTION_MS) {
    this.#store = store;
    this.#retentionMs = retentionMs;
  }

  /** @throws DatabaseUnavailableError */
  async record(events: readonly Event[], now: number): Promise<void> {
    await this.#store.events.add(events, { now, expiresAt: now + this.#retentionMs });
  }

  /**
   * Records the notes on these keys, and then takes them off. Whoever dies in between leaves them to be recorded again,
   * under the same ids. @throws DatabaseUnavailableError
   */
  async recordNotes(noted: readonly NotedKey[], now: number): Promise<void> {
    if (noted.length === 0) return;
    const notes = noted.flatMap((key) => key.notes);
    await this.record(notes, now);
    await this.#store.keys.clearNotes(noted);
  }

  /** Right after a write that left this note: its event shows at once. Where that fails, the next sweep records it. */
  async recordNote(keyId: string, note: Event, now: number): Promise<void> {
    await this.recordNotes([{ keyId, notes: [note] }], now).catch(() => undefined);
  }

  /**
   * An acquire of this pool was refused: an event, and a mark on the minute in the pool's usage. This process tries it
   * once a minute and pool; both are the same whichever processes do, since the event's id is made of the minute. An
   * error, or a slow database, changes nothing for the caller, who is refused either way.
   */
  async recordExhausted(pool: string, now: number): Promise<void> {
    const minute = Math.floor(now / MINUTE_MS);
    if (this.#exhaustedIn.get(pool) === minute) return;
    this.#exhaustedIn.set(pool, minute);
    const event = makeEvent({ type: 'pool.exhausted', at: now, pool }, `${pool} ${minute}`);
    const recorded = Promise.allSettled([
      this.record([event], now),
      this.#store.usage.record([{ pool, at: now, refused: true }]),
    ]);
    await Promise.race([recorded, setTimeout(REFUSAL_WAIT_MS, undefined, { ref: false })]);
  }
}

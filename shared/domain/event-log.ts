import { type Event, makeEvent } from './events.ts';
import type { NotedKey, Store } from './store.ts';

/** At most one `pool.exhausted` of a pool in this time, in milliseconds. */
const EXHAUSTED_EVERY_MS = 60_000;

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
   * An acquire of this pool was refused. One event a minute, whichever processes see it: its id is made of the minute.
   * An error changes nothing for the caller, who is refused either way.
   */
  async recordExhausted(pool: string, now: number): Promise<void> {
    const minute = Math.floor(now / EXHAUSTED_EVERY_MS);
    if (this.#exhaustedIn.get(pool) === minute) return;
    this.#exhaustedIn.set(pool, minute);
    const event = makeEvent({ type: 'pool.exhausted', at: now, pool }, `${pool} ${minute}`);
    await this.record([event], now).catch(() => undefined);
  }
}

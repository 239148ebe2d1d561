import type { Health } from '../contract/health.ts';
import type { Context } from './context.ts';
import type { SchemaState, Store } from './store.ts';

/** For how long the result of a check is given to everybody who asks, in milliseconds. */
export const HEALTH_CACHE_MS = 2000;

/** A sweep begins every minute; after this long without one, in milliseconds, something keeps it from running. */
const SWEEP_LATE_MS = 180_000;

/** How the service is. A late sweep makes nothing wrong, only late; another release's schema nothing but slow. @throws DatabaseUnavailableError */
export async function getHealth({ health, clock }: Pick<Context, 'health' | 'clock'>): Promise<Health> {
  const { lastSweep, schema } = await health.ask();
  const lastSweepAgeMs = lastSweep === undefined ? undefined : Math.max(0, clock() - lastSweep);
  const isLate = lastSweepAgeMs === undefined || lastSweepAgeMs > SWEEP_LATE_MS;
  return { status: 'ok', database: 'ok', schema, sweep: isLate ? 'late' : 'ok', lastSweepAgeMs };
}

interface Reply {
  /** When the last sweep began, if there was one. */
  readonly lastSweep: number | undefined;
  readonly schema: SchemaState;
}

interface Check {
  readonly reply: Promise<Reply>;
  endedAt: number | undefined;
}

/**
 * What the database says of itself and of the sweep. Anybody may ask, so that it is asked at most once at a time, and
 * once in {@link HEALTH_CACHE_MS}, in each process; a failure counts as a reply.
 */
export class HealthCheck {
  readonly #store: Pick<Store, 'getLastSweep' | 'schemaState'>;
  readonly #clock: () => number;
  #known: Check | undefined;

  constructor(store: Pick<Store, 'getLastSweep' | 'schemaState'>, clock: () => number) {
    this.#store = store;
    this.#clock = clock;
  }

  /** @throws DatabaseUnavailableError */
  ask(): Promise<Reply> {
    if (this.#known !== undefined && this.#isCurrent(this.#known.endedAt)) return this.#known.reply;
    const reply = Promise.all([this.#store.getLastSweep(), this.#store.schemaState()]);
    const known: Check = {
      reply: reply.then(([lastSweep, schema]) => ({ lastSweep, schema })),
      endedAt: undefined,
    };
    this.#known = known;
    const end = (): void => {
      known.endedAt = this.#clock();
    };
    known.reply.then(end, end);
    return known.reply;
  }

  #isCurrent(endedAt: number | undefined): boolean {
    return endedAt === undefined || Math.abs(this.#clock() - endedAt) < HEALTH_CACHE_MS;
  }
}

import { signal } from '@preact/signals';
import { isOutage } from '../api/explain-error.ts';

export interface Outage {
  /** When the first call failed, milliseconds since the epoch. */
  readonly since: number;
  readonly error: unknown;
}

/** Undefined while the service answers. */
export const outage = signal<Outage | undefined>(undefined);

/** Grows when everything that polls should ask again at once. */
export const askAgain = signal(0);

export function reportAnswer(): void {
  if (outage.value === undefined) return;
  outage.value = undefined;
  askAgain.value += 1;
}

export function reportFailure(error: unknown): void {
  if (isOutage(error)) outage.value = { since: outage.value?.since ?? Date.now(), error };
  // An answer, if not the one that was hoped for.
  else reportAnswer();
}

window.addEventListener('online', () => {
  askAgain.value += 1;
});

import { signal } from '@preact/signals';
import { isOutage } from '../api/explain-error.ts';

export interface Outage {
  /** When the first request failed, in milliseconds since the epoch. */
  readonly since: number;
  readonly error: unknown;
}

/** Undefined while requests succeed. */
export const outage = signal<Outage | undefined>(undefined);

/** Grows to make all polling send a request at once. */
export const askAgain = signal(0);

export function reportAnswer(): void {
  if (outage.value === undefined) return;
  outage.value = undefined;
  askAgain.value += 1;
}

export function reportFailure(error: unknown): void {
  if (isOutage(error)) outage.value = { since: outage.value?.since ?? Date.now(), error };
  // An error response is a response: the service is there.
  else reportAnswer();
}

window.addEventListener('online', () => {
  askAgain.value += 1;
});

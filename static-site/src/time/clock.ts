import { signal } from '@preact/signals';

/** How often countdowns change, in milliseconds. */
const TICK_MS = 250;

/** The monotonic clock: it ignores changes of the computer's time. Updated four times a second in a visible tab. */
export const nowMs = signal(performance.now());

/** The present time, for computations that subscribe to the ticks. */
export function currentMs(): number {
  return Math.max(nowMs.value, performance.now());
}

setInterval(() => {
  if (!document.hidden) nowMs.value = performance.now();
}, TICK_MS);

document.addEventListener('visibilitychange', () => {
  if (!document.hidden) nowMs.value = performance.now();
});

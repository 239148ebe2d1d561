import { signal } from '@preact/signals';

/** How often what is shown counts down, in milliseconds. */
const TICK_MS = 250;

/** The monotonic clock, for durations: setting the computer's clock does not move it. Ticks four times a second while the tab is shown. */
export const nowMs = signal(performance.now());

/** The time itself, not that of the last tick, for what is computed again with every tick. */
export function currentMs(): number {
  return Math.max(nowMs.value, performance.now());
}

setInterval(() => {
  if (!document.hidden) nowMs.value = performance.now();
}, TICK_MS);

document.addEventListener('visibilitychange', () => {
  if (!document.hidden) nowMs.value = performance.now();
});

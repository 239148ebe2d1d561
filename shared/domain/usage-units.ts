import { HOURS_KEPT_HOURS, MINUTES_KEPT_HOURS } from '../contract/primitives.ts';

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;

/** In what usage is kept, each for its time. */
export const USAGE_UNITS = {
  minute: { ms: MINUTE_MS, keptMs: MINUTES_KEPT_HOURS * HOUR_MS },
  hour: { ms: HOUR_MS, keptMs: HOURS_KEPT_HOURS * HOUR_MS },
} as const;

export type UsageUnit = keyof typeof USAGE_UNITS;

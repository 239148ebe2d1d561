import type { Pool } from '../../../shared/contract/pools.ts';

const STATES = ['leased', 'cooling', 'free', 'paused'] as const;
const FILLS = {
  leased: 'fill-leased',
  cooling: 'fill-cooling',
  free: 'fill-free',
  paused: 'fill-life',
} as const;

/** The states of a pool's keys as parts of one bar. Hidden from screen readers, which read the numbers. */
export function UsageBar({ counts }: { counts: Pool['counts'] }) {
  return (
    <div class="flex h-2 gap-0.5 overflow-hidden rounded-full bg-sunken" aria-hidden="true">
      {STATES.map(
        (state) =>
          counts[state].count > 0 && (
            <div
              key={state}
              class={`min-w-1.5 basis-0 rounded-[2px] ${FILLS[state]}`}
              style={{ flexGrow: counts[state].count }}
            />
          ),
      )}
    </div>
  );
}

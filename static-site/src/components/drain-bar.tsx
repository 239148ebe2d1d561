import { useLayoutEffect, useRef } from 'preact/hooks';

const stillMotion = matchMedia('(prefers-reduced-motion: reduce)');

interface DrainBarProps {
  /** When it is empty, on the monotonic clock. */
  readonly until: number;
  /** How long a full one lasts, in milliseconds. */
  readonly fullMs: number;
  readonly tone: 'leased' | 'cooling' | 'life';
  readonly thick?: boolean;
}

const TONES = { leased: 'fill-leased', cooling: 'fill-cooling', life: 'fill-life' } as const;

/** A bar that runs down. The compositor moves it, so that a table of many costs no script; in steps where motion is unwanted. */
export function DrainBar({ until, fullMs, tone, thick = false }: DrainBarProps) {
  const bar = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const left = Math.max(0, until - performance.now());
    const start = Math.min(1, left / fullMs);
    const animation = bar.current?.animate(
      [{ transform: `scaleX(${start})` }, { transform: 'scaleX(0)' }],
      // A bar that lasts days is as good as still.
      {
        duration: Math.min(left, 86_400_000 * 20),
        fill: 'forwards',
        easing: stillMotion.matches ? 'steps(8)' : 'linear',
      },
    );
    return () => animation?.cancel();
  }, [until, fullMs]);
  return (
    <div class={`overflow-hidden rounded-full bg-sunken ${thick ? 'h-2' : 'h-1'}`} aria-hidden="true">
      <div ref={bar} class={`h-full w-full origin-left rounded-full ${TONES[tone]}`} />
    </div>
  );
}

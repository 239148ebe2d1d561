import { drawSteps, highest, type UsageStep } from './usage-steps.ts';

interface SparklineProps {
  readonly points: readonly UsageStep[];
  readonly from: number;
  readonly to: number;
}

/** The keys in use, as high as all keys at most. Decoration: the numbers stand beside it. */
export function Sparkline({ points, from, to }: SparklineProps) {
  const top = Math.max(1, highest(points, 'keys'));
  const scale = {
    x: (at: number) => (100 * (at - from)) / (to - from),
    y: (amount: number) => 22 - (20 * amount) / top,
    to,
  };
  const taken = drawSteps(points, 'taken', scale);
  const leased = drawSteps(points, 'leased', scale);
  return (
    <svg class="chart h-6 w-full" viewBox="0 0 100 24" preserveAspectRatio="none" aria-hidden="true">
      <path class="chart-cooling" d={taken.area} />
      <path class="chart-leased" d={leased.area} />
      <path class="chart-leased-line" d={leased.line} />
    </svg>
  );
}

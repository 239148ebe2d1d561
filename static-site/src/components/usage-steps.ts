/** How many keys were in use from a time on, up to the next point. Without numbers: nothing is known from there on. */
export interface UsageStep {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly leased?: number;
  /** Leased or cooling. */
  readonly taken?: number;
  readonly keys?: number;
}

export interface StepScale {
  readonly x: (at: number) => number;
  readonly y: (amount: number) => number;
  /** Where the last point ends. */
  readonly to: number;
}

/** The outline of one of the numbers, and what is below it, as paths of an SVG. A gap is left open. */
export function drawSteps(
  points: readonly UsageStep[],
  value: 'leased' | 'taken' | 'keys',
  { x, y, to }: StepScale,
): { readonly line: string; readonly area: string } {
  const base = round(y(0));
  let line = '';
  let area = '';
  let isOpen = false;
  const close = (): void => {
    if (isOpen) area += `V${base}Z`;
    isOpen = false;
  };
  for (const [index, point] of points.entries()) {
    const amount = point[value];
    if (amount === undefined) {
      close();
      continue;
    }
    const start = round(x(point.at));
    const top = round(y(amount));
    const end = round(x(points[index + 1]?.at ?? to));
    line += isOpen ? `V${top}H${end}` : `M${start} ${top}H${end}`;
    area += isOpen ? `V${top}H${end}` : `M${start} ${base}V${top}H${end}`;
    isOpen = true;
  }
  close();
  return { line, area };
}

/** The points from a time on; the one that holds then starts there. */
export function stepsFrom(points: readonly UsageStep[], from: number): readonly UsageStep[] {
  const first = points.findLastIndex(({ at }) => at <= from);
  const [holding, ...rest] = points.slice(Math.max(0, first));
  if (holding === undefined) return [];
  return [{ ...holding, at: Math.max(from, holding.at) }, ...rest];
}

export function highest(points: readonly UsageStep[], value: 'taken' | 'keys'): number {
  return points.reduce((top, point) => Math.max(top, point[value] ?? 0), 0);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

import { runInNewContext } from 'node:vm';
import { expect } from 'vitest';
import type { Resource } from './synthesize.ts';

/** A line as it came to a log group, which is told by its logical id. */
export interface LogLine {
  readonly group: string;
  readonly text: string;
}

interface MetricName {
  readonly Namespace: string;
  readonly MetricName: string;
  readonly Dimensions?: readonly { readonly Name: string; readonly Value: unknown }[];
}

/** What CloudWatch makes of a line. */
export interface DataPoint {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, unknown>>;
  readonly unit: string;
  readonly value: number;
}

/** What CloudWatch knows after it has read these lines: of the embedded metric format, and through the filters. */
export function readLines(lines: readonly LogLine[], filters: readonly Resource[]): DataPoint[] {
  return lines.flatMap(({ group, text }) => {
    const filtered = filters
      .map(({ Properties }) => Properties)
      .filter(({ LogGroupName, FilterPattern }) => LogGroupName.Ref === group && matches(FilterPattern, text))
      .map(({ MetricTransformations: [{ MetricNamespace, MetricName, MetricValue, Unit }] }) => ({
        namespace: MetricNamespace,
        name: MetricName,
        dimensions: {},
        unit: Unit,
        value: Number(MetricValue.startsWith('$.') ? JSON.parse(text)[MetricValue.slice(2)] : MetricValue),
      }));
    return [...readEmf(text), ...filtered];
  });
}

/** The forms of CloudWatch Logs' patterns that the stack uses: `{ $.field = "text" }`, several joined by `||`. */
function matches(pattern: string, line: string): boolean {
  const terms = /^\{ (.*) \}$/.exec(pattern)?.[1]?.split(' || ') ?? expect.fail(`Unknown form: ${pattern}`);
  const entry = JSON.parse(line);
  return terms.some((term) => {
    const [, field = '', text] =
      /^\(?\$\.(\w+) = "([^"]*)"\)?$/.exec(term) ?? expect.fail(`Unknown form: ${term}`);
    return field in entry && String(entry[field]) === text;
  });
}

function readEmf(line: string): DataPoint[] {
  const { _aws: emf = { CloudWatchMetrics: [] }, ...members } = JSON.parse(line);
  return emf.CloudWatchMetrics.flatMap(
    (directive: { Namespace: string; Dimensions: string[][]; Metrics: { Name: string; Unit: string }[] }) =>
      directive.Dimensions.flatMap((names) =>
        directive.Metrics.map(({ Name, Unit }) => ({
          namespace: directive.Namespace,
          name: Name,
          dimensions: Object.fromEntries(names.map((name) => [name, members[name]])),
          unit: Unit,
          value: members[Name],
        })),
      ),
  );
}

interface Watched {
  readonly Metric: MetricName;
  readonly Stat: string;
  readonly Unit?: string;
}

/** The metrics that an alarm looks at, by their names in its expression. */
function watchedBy({ Metrics, Namespace, MetricName, Dimensions, Statistic }: Resource['Properties']) {
  const several = (Metrics ?? []).flatMap(({ Id, MetricStat }: { Id: string; MetricStat?: Watched }) =>
    MetricStat === undefined ? [] : [[Id, MetricStat] as const],
  );
  const one: Watched = { Metric: { Namespace, MetricName, Dimensions }, Stat: Statistic };
  return new Map<string, Watched>(Metrics === undefined ? [['one', one]] : several);
}

/** The metrics that an alarm looks at, as `Namespace Name`. */
export function metricsOf(alarm: Resource['Properties']): string[] {
  return [...watchedBy(alarm).values()].map(({ Metric }) => `${Metric.Namespace} ${Metric.MetricName}`);
}

/** Whether an alarm rings by a period with these points, as often as it asks for such. */
export function ringsAt(alarm: Resource['Properties'], points: readonly DataPoint[]): boolean {
  const values = [...watchedBy(alarm)].map(([id, watched]) => [id, statisticOf(watched, points)]);
  return ringsBy(alarm, Object.fromEntries(values));
}

/** Whether an alarm rings where its metrics have these values, by their names in its expression. */
export function ringsBy(
  { Metrics = [], Threshold, ComparisonOperator, TreatMissingData }: Resource['Properties'],
  values: Readonly<Record<string, number | undefined>>,
): boolean {
  const [math] = Metrics.filter((metric: { Expression?: string }) => metric.Expression);
  const value: number | undefined =
    math === undefined
      ? Object.values(values)[0]
      : runInNewContext(math.Expression, {
          ...values,
          IF: (is: boolean, yes: number, no: number) => (is ? yes : no),
          FILL: (given: number | undefined, otherwise: number) => given ?? otherwise,
        });
  if (value === undefined || Number.isNaN(value)) return TreatMissingData === 'breaching';
  switch (ComparisonOperator) {
    case 'GreaterThanThreshold':
      return value > Threshold;
    case 'GreaterThanOrEqualToThreshold':
      return value >= Threshold;
    case 'LessThanThreshold':
      return value < Threshold;
    default:
      return expect.fail(`Unknown operator: ${ComparisonOperator}`);
  }
}

function statisticOf({ Metric, Stat, Unit }: Watched, points: readonly DataPoint[]): number | undefined {
  const wanted = (Metric.Dimensions ?? []).map(({ Name, Value }) => [Name, Value] as const);
  const values = points
    .filter(({ namespace, name, unit, dimensions }) => {
      const isNamed = namespace === Metric.Namespace && name === Metric.MetricName;
      return (
        isNamed &&
        (Unit === undefined || Unit === unit) &&
        Object.keys(dimensions).length === wanted.length &&
        wanted.every(([dimension, value]) => dimensions[dimension] === value)
      );
    })
    .map(({ value }) => value);
  if (values.length === 0) return undefined;
  switch (Stat) {
    case 'Sum':
      return values.reduce((sum, value) => sum + value, 0);
    case 'Maximum':
      return Math.max(...values);
    default:
      return expect.fail(`Unknown statistic: ${Stat}`);
  }
}

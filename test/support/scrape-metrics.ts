import type { PrometheusMetrics } from '../../infra/local/prometheus-metrics.ts';

/** What a scrape tells: each series as it is printed, its labels in alphabetical order, and its value. */
export async function scrapeMetrics(metrics: PrometheusMetrics): Promise<Map<string, number>> {
  const series = (await metrics.scrape())
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line): [string, number] => {
      const [, name = '', labels = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
      const sorted = labels.match(/\w+="[^"]*"/g)?.sort() ?? [];
      return [sorted.length === 0 ? name : `${name}{${sorted.join(',')}}`, Number(value)];
    });
  return new Map(series);
}

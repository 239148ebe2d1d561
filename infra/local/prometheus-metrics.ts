import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { limitPools, METRICS, type MetricName, type Metrics } from '../../shared/runtime/metrics.ts';

/** What `/metrics` serves. */
export interface PrometheusMetrics {
  readonly publish: Metrics;
  readonly contentType: string;
  /** All metrics as OpenMetrics text. */
  scrape(): Promise<string>;
}

/** Keeps all metrics of this process for Prometheus to fetch. */
export function createPrometheusMetrics(): PrometheusMetrics {
  const registry = new Registry<typeof Registry.OPENMETRICS_CONTENT_TYPE>();
  registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  const metrics = Object.fromEntries(
    Object.entries(METRICS).map(([name, { kind, help, labels, ...rest }]) => {
      const options = { name, help, labelNames: labels as readonly string[], registers: [registry] };
      if (kind === 'counter') return [name, new Counter(options)];
      if (kind === 'gauge') return [name, new Gauge(options)];
      const { buckets } = rest as { buckets: readonly number[] };
      return [name, new Histogram({ ...options, buckets: [...buckets] })];
    }),
  ) as Record<MetricName, Counter | Gauge | Histogram>;

  const publish = limitPools((samples) => {
    const gauges = samples.map(({ name }) => metrics[name]).filter((metric) => metric instanceof Gauge);
    for (const gauge of new Set(gauges)) gauge.reset();
    for (const { name, labels, value } of samples) {
      const metric = metrics[name];
      if (metric instanceof Histogram) metric.observe(labels, value);
      else metric.inc(labels, value);
    }
  });
  return { publish, contentType: registry.contentType, scrape: () => registry.metrics() };
}

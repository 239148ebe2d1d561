import { Metrics as EmfMetrics } from '@aws-lambda-powertools/metrics';
import { limitPools, METRICS, type Sample } from './metrics.ts';

/** `service`, a dimension of every metric, is `POWERTOOLS_SERVICE_NAME`: the deployment says which stack this is. */
const emf = new EmfMetrics({ namespace: 'TokenOrchestrator' });

/**
 * Publishes by printing: CloudWatch reads metrics from lines in its embedded metric format. Samples with the same labels
 * share a line. Nothing waits for the end of the invocation, since all of a request is told at once.
 */
export const publishEmf = limitPools((samples) => {
  const all = [...samples, ...samples.flatMap(acrossPools)];
  for (const alike of Map.groupBy(all, ({ labels }) => JSON.stringify(labels)).values()) {
    const { labels } = alike[0] as Sample;
    if (Object.keys(labels).length > 0) emf.addDimensions(labels);
    for (const { name, value } of alike) emf.addMetric(name, unitOf(name), value);
    emf.publishStoredMetrics();
  }
});

/** A line of its own: Powertools warns of every dimension that two sets of one line share. */
function acrossPools({ labels: { pool: _, ...labels }, ...sample }: Sample): Sample[] {
  return 'acrossPools' in METRICS[sample.name] ? [{ ...sample, labels }] : [];
}

function unitOf(name: string): 'Seconds' | 'Count' {
  return name.endsWith('_seconds') ? 'Seconds' : 'Count';
}

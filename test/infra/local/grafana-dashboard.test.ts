import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { METRICS } from '../../../shared/runtime/metrics.ts';
import { useTestApi } from '../../support/test-api.ts';

interface Dashboard {
  readonly panels: readonly {
    readonly title: string;
    readonly targets: readonly { readonly expr: string }[];
  }[];
  readonly templating: { readonly list: readonly { readonly query: string | { readonly query: string } }[] };
}

const FILE = new URL('../../../docs/grafana-dashboard.json', import.meta.url);

describe('the Grafana dashboard', () => {
  const api = useTestApi();

  it('asks for metrics and labels that /metrics serves, and for every metric', async () => {
    const { panels, templating } = JSON.parse(await readFile(FILE, 'utf8')) as Dashboard;
    const expressions = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
    const variables = templating.list.map(({ query }) => (typeof query === 'string' ? query : query.query));
    const text = await api.metrics.scrape();
    const served = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].flatMap(([, name, kind]) => {
      if (kind === 'counter') return [`${name}_total`];
      return kind === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name];
    });

    const asked = new Set<string>();
    for (const expression of [...expressions, ...variables]) {
      for (const [name] of expression.matchAll(/token_orchestrator_\w+/g)) {
        expect(served).toContain(name);
        asked.add(name);
        const { labels } = Object.entries(METRICS).find(([metric]) => name.startsWith(metric))?.[1] ?? {
          labels: [],
        };
        const known = ['le', ...labels];
        const named = [
          ...[...expression.matchAll(/by \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(/, ?/)),
          ...[...expression.matchAll(/(\w+)=~?"/g)].map(([, label]) => label),
        ];
        expect(known, expression).toEqual(expect.arrayContaining(named));
      }
    }
    const unused = Object.keys(METRICS).filter(
      (metric) => ![...asked].some((name) => name.startsWith(metric)),
    );
    expect(unused).toEqual([]);
  });
});

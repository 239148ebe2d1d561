import { describe, expect, it } from 'vitest';
import { useHostProcesses } from '../../support/host-process.ts';

describe('/metrics of the local host', { timeout: 60_000 }, () => {
  const hosts = useHostProcesses();

  const scrape = async (environment: Record<string, string>) => {
    const host = await hosts.startHost(await hosts.makeFolder(), environment);
    await host.call('GET', '/v1/me');
    const { status, text, type } = await fetch(`${host.url}/metrics`).then(async (response) => ({
      status: response.status,
      text: await response.text(),
      type: response.headers.get('content-type'),
    }));
    return { isServed: status === 200 && text.includes('token_orchestrator_'), text, type };
  };

  it('is what Prometheus reads, on an address of this machine alone', async () => {
    const { isServed, text, type } = await scrape({});
    expect(isServed).toBe(true);
    expect(type).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
    expect(text).toContain(
      'token_orchestrator_request_duration_seconds_count{route="GET /v1/me",status="2xx"} 1\n',
    );
  });

  it.each<[Record<string, string>, boolean]>([
    [{ HOST: 'localhost' }, true],
    [{ METRICS: 'off' }, false],
    [{ HOST: '0.0.0.0' }, false],
    [{ HOST: '0.0.0.0', METRICS: 'on' }, true],
  ])('with %o is served: %s', async (environment, expected) => {
    expect((await scrape(environment)).isServed).toBe(expected);
  });
});

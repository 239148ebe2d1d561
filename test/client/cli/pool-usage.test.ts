import { describe, expect, test } from 'vitest';
import { describeUsage } from '../../../client/cli/commands/pool-usage.ts';
import type { Usage } from '../../../shared/contract/usage.ts';
import { useHost } from '../../support/host-process.ts';
import { makePool } from '../support/make-pool.ts';
import { endCliAfterEach, runCli } from '../support/run-cli.ts';

const host = useHost();
endCliAfterEach();

const START = Date.UTC(2026, 0, 1);

/** Usage over so many minutes, whose peaks are given; null: a minute of which nothing is known. */
function usageOf(peaks: readonly (number | null)[], totals: Partial<Usage['totals']> = {}): Usage {
  const at = (minute: number) => new Date(START + minute * 60_000).toISOString();
  const points = peaks.flatMap((peak, minute) =>
    peak === null ? [] : [{ at: at(minute), minutes: 1, refusedMinutes: Number(peak === 20), peak }],
  );
  return {
    pool: 'seats',
    from: at(0),
    to: at(peaks.length),
    stepMinutes: 1,
    resolutionMinutes: 1,
    keys: { count: 20, relation: 'exact' },
    totals: { minutes: 60, refusedMinutes: 0, peak: 12, p50: 3, p95: 9, p99: 11, p999: 12, ...totals },
    points,
  };
}

const adviceOf = (totals: Partial<Usage['totals']>, hours = 1, resolutionMinutes: 1 | 60 = 1) =>
  describeUsage({ ...usageOf([], totals), resolutionMinutes }, hours)
    .split('\n')
    .at(-1);

describe('pools usage', () => {
  test('shows the figures, and a chart with its gaps and refusals', () => {
    expect(describeUsage(usageOf([0, 10, null, null, 20, 1], { refusedMinutes: 1, p999: null }), 1)).toBe(
      [
        'Pool     seats',
        'Peak     12',
        '50 %     3',
        '95 %     9',
        '99 %     11',
        '99.9 %   unknown',
        'Minutes  60, of which refused 1',
        '',
        '▁▅  █▂',
        '    !',
        '2026-01-01T00:00:00.000Z to 2026-01-01T00:06:00.000Z',
        '',
        'What there was covered 98.3 % of the minutes of the last hour; you have 20; refused in 1 minute, when more were wanted than there were: how many more is unknown.',
      ].join('\n'),
    );
  });

  test.each([
    [
      {},
      1,
      1,
      '12 keys would have covered 99.9 % of the minutes of the last hour; you have 20; nobody was refused.',
    ],
    [
      { minutes: 43_200, refusedMinutes: 3 },
      720,
      60,
      '12 keys would have covered at least 99.9 % of the minutes of the last 30 days; you have 20; refused in 3 minutes, when more were wanted than there were: how many more is unknown.',
    ],
    [
      { minutes: 30, p999: 1, atLeast: true as const },
      24,
      1,
      '1 key or more would have covered 99.9 % of the 30 known minutes of the last 24 hours; you have 20; nobody was refused.',
    ],
    [{ minutes: 0, p999: null }, 48, 1, 'Nothing is known of the last 2 days.'],
  ] as const)('says what %o come to', (totals, hours, resolution, sentence) => {
    expect(adviceOf(totals, hours, resolution)).toBe(sentence);
  });

  test('is for programs what the API and the SDK say', async () => {
    const client = host.client();
    const pool = await makePool(client, { keys: 0 });
    await expect(client.acquire({ pool })).rejects.toMatchObject({ code: 'no_key_available' });
    const { stdout, code } = await runCli(
      ['pools', 'usage', pool, '--hours', '3', '--json'],
      host.environment,
    );
    const usage = await client.pools.usage(pool, { hours: 3, step: 3 });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      pool,
      stepMinutes: 3,
      totals: { minutes: 1, refusedMinutes: 1 },
    });
    expect(usage).toMatchObject({ points: [{ minutes: 1, refusedMinutes: 1 }], keys: { count: 0 } });
    const { pools } = await client.pools.listUsage({ hours: 1, limit: 200 });
    expect(pools.find((each) => each.pool === pool)?.points).toMatchObject([{ refusedMinutes: 1 }]);

    const year = await runCli(
      ['pools', 'usage', pool, '--hours', '9600', '--only', 'stepMinutes'],
      host.environment,
    );
    expect(year).toMatchObject({ code: 0, stdout: '9600\n' });
    const odd = await runCli(
      ['pools', 'usage', pool, '--hours', '1000', '--only', 'stepMinutes'],
      host.environment,
    );
    expect(odd).toMatchObject({ code: 0, stdout: '1020\n' });
    expect((await runCli(['pools', 'usage', pool], host.environment)).stdout).toMatch(
      /^Pool +.*covered 0 % /s,
    );
  });
});

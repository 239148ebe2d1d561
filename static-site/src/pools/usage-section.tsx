import type { ComponentChildren } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { adviseOnUsage } from '../../../client/sdk/advise-on-usage.ts';
import type { Pool } from '../../../shared/contract/pools.ts';
import type { Usage } from '../../../shared/contract/usage.ts';
import type { Api } from '../api/api.ts';
import { Loading } from '../components/loading.tsx';
import type { UsageStep } from '../components/usage-steps.ts';
import { createFeed, type Feed } from '../poll/feed.ts';
import { endSessionIfRejected } from '../session/session.ts';
import { UsageChart } from './usage-chart.tsx';
import { spanOf, stepsOf } from './usage-history.ts';

/** The service records a minute at a time. */
const EVERY_MS = 60_000;

const SPANS = [
  { hours: 1, name: '1 hour' },
  { hours: 24, name: '24 hours' },
  { hours: 168, name: '7 days' },
  { hours: 8760, name: '1 year' },
];

interface UsageSectionProps {
  readonly api: Api;
  readonly pool: Pool;
  /** What this page has polled. */
  readonly live: readonly UsageStep[];
  /** Beside the heading. */
  readonly children?: ComponentChildren;
}

/** How many keys of a pool were in use, and how many would have been enough. */
export function UsageSection({ api, pool, live, children }: UsageSectionProps) {
  const [hours, setHours] = useState(1);
  return (
    <section class="card px-4 py-3 sm:px-5" aria-labelledby="usage-heading">
      <div class="mb-2 flex flex-wrap items-center gap-3">
        <h2 id="usage-heading" class="mr-auto font-semibold">
          Keys in use
        </h2>
        {children}
        <select
          class="field w-auto"
          aria-label="Time in the chart"
          value={hours}
          onChange={(event) => setHours(Number(event.currentTarget.value))}
        >
          {SPANS.map(({ hours: length, name }) => (
            <option key={length} value={length}>
              {name}
            </option>
          ))}
        </select>
      </div>
      <UsageOf key={`${pool.pool} ${hours}`} api={api} pool={pool} hours={hours} live={live} />
    </section>
  );
}

function UsageOf({ api, pool, hours, live }: UsageSectionProps & { readonly hours: number }) {
  const feed = useMemo(() => createUsageFeed(api, pool.pool, hours), []);
  useEffect(() => () => feed.stop(), [feed]);
  const usage = feed.value.value;
  if (usage === undefined) return <Loading error={feed.error.value} shapes={['h-[11.375rem]']} />;
  const past = stepsOf(usage.points, usage.stepMinutes * 60_000);
  // The last hour goes on with what the page has seen.
  const liveSince = hours === 1 ? live[0]?.at : undefined;
  const points = liveSince === undefined ? past : [...past.filter(({ at }) => at < liveSince), ...live];
  const to = liveSince === undefined ? Math.min(Date.parse(usage.to), Date.now()) : Date.now();
  // A service that was started lately knows of less than an hour.
  const from = hours === 1 ? spanOf([points], to).from : to - hours * 3_600_000;
  return (
    <>
      <UsageChart
        title={`Keys of ${pool.pool} in use in the last ${SPANS.find((span) => span.hours === hours)?.name.replace(/^1 /, '')}`}
        points={points}
        from={from}
        to={to}
        counts={pool.counts}
        refused={usage.points.flatMap(({ at, refusedMinutes }) => (refusedMinutes > 0 ? Date.parse(at) : []))}
        stepMs={usage.stepMinutes * 60_000}
      />
      <p class="mt-1 text-[0.8125rem] text-pretty text-muted" data-advice>
        {usage.totals.minutes === 0 ? 'No minute of this time is recorded yet.' : adviseOnUsage(usage, hours)}
      </p>
    </>
  );
}

function createUsageFeed(api: Api, pool: string, hours: number): Feed<Usage> {
  return createFeed<Usage>({
    everyMs: () => EVERY_MS,
    onError: endSessionIfRejected,
    ask: (abort) => api.getUsage(pool, hours, abort),
  });
}

import { useEffect, useState } from 'preact/hooks';
import { EmptyState } from '../components/empty-state.tsx';
import { Loading } from '../components/loading.tsx';
import { PageHeading } from '../components/page-heading.tsx';
import type { PoolsFeed } from '../pools/pools-feed.ts';
import { firstPool } from '../session/access.ts';
import type { SignedIn } from '../session/session.ts';
import { plural } from '../text/format-count.ts';
import { formatClock } from '../time/time-text.tsx';
import { AcquireForm } from './acquire-form.tsx';
import { CodeFrame } from './code-panel.tsx';
import { LeaseCard } from './lease-card.tsx';
import type { LeaseDesk } from './lease-desk.ts';
import { Lifecycle } from './lifecycle.tsx';
import { type SnippetContext, withLeaseSnippet } from './snippets.ts';

/** The most lease cards on the page: a program may hold hundreds. */
const SHOWN = 20;

interface TryItPageProps {
  readonly signedIn: SignedIn;
  readonly desk: LeaseDesk;
  readonly pools: PoolsFeed | undefined;
  readonly pool: string | undefined;
}

/** Acquire, keep alive, release, or let a lease lapse, as a program would. Also shows a client's own leases. */
export function TryItPage({ signedIn, desk, pools, pool: wanted }: TryItPageProps) {
  const [pool, setPool] = useState(wanted ?? firstPool(signedIn.caller));
  const [isShown, setShown] = useState(false);
  useEffect(() => desk.watch(), [desk]);
  const context: SnippetContext = {
    url: location.origin,
    credential: isShown ? signedIn.credential : undefined,
  };
  const leases = desk.leases.value;
  // The sections below the leases are rendered with them, so that they do not move when the leases come.
  const isListed = desk.isListed.value;
  const live = leases.filter(({ ended }) => ended === undefined).length;

  return (
    <>
      <PageHeading
        title="Try it"
        name="Try it"
        actions={
          <label class="flex items-center gap-2 text-[0.8125rem]">
            <input
              type="checkbox"
              class="check"
              checked={isShown}
              onChange={(event) => setShown(event.currentTarget.checked)}
            />
            My credential in the code
          </label>
        }
      >
        Be a program for a minute. What you do here is real: the key is yours until you release it or fall
        silent.
      </PageHeading>
      <Lifecycle />
      <AcquireForm
        desk={desk}
        pools={pools}
        limitedTo={signedIn.caller.pools}
        pool={pool}
        onPool={setPool}
        context={context}
      />

      <div class="mt-8 grid gap-x-6 gap-y-8 xl:grid-cols-[minmax(0,1fr)_20rem]">
        <section aria-labelledby="leases-heading">
          <h2 id="leases-heading" class="mb-3 font-semibold">
            Your leases {live > 0 && <span class="font-normal text-muted tabular-nums">{live}</span>}
          </h2>
          <div class="space-y-4">
            {leases.length === 0 && <NoLeases isListed={isListed} />}
            {leases.slice(0, SHOWN).map((held) => (
              <LeaseCard key={held.lease.leaseId} held={held} desk={desk} context={context} />
            ))}
            {leases.length > SHOWN && (
              <p class="text-muted">
                And {plural(leases.length - SHOWN, 'more lease')} that this page does not show.
              </p>
            )}
          </div>
        </section>
        {isListed && <LogSection desk={desk} />}
      </div>

      {isListed && (
        <section class="mt-8" aria-labelledby="program-heading">
          <h2 id="program-heading" class="mb-1 font-semibold">
            In a program
          </h2>
          <p class="mb-3 max-w-2xl text-muted">
            The SDK does all of it: it waits for a key, keeps it alive, tells your code when it must stop, and
            releases the key whatever happens.
          </p>
          <CodeFrame title="withLease" code={withLeaseSnippet(context, pool)} />
        </section>
      )}
    </>
  );
}

function NoLeases({ isListed }: { isListed: boolean }) {
  if (!isListed) return <Loading shapes={['h-32']} />;
  return (
    <div class="card">
      <EmptyState icon="clock" title="You hold no lease">
        Acquire a key above. A lease of 10 seconds shows best what happens when no keep-alive comes.
      </EmptyState>
    </div>
  );
}

function LogSection({ desk }: { desk: LeaseDesk }) {
  const entries = desk.log.entries.value;
  return (
    <section class="min-w-0" aria-labelledby="log-heading">
      <h2 id="log-heading" class="mb-3 font-semibold">
        What happened
      </h2>
      <div
        class="card max-h-[26rem] overflow-y-auto px-4 py-3"
        role="log"
        aria-labelledby="log-heading"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and a keyboard must be able to
        tabIndex={0}
      >
        {entries.length === 0 && <p class="py-2 text-muted">Nothing yet.</p>}
        <ul>
          {entries.map(({ id, at, tone, text, keyId }) => (
            <li key={id} class="flex gap-3 py-1.5 text-[0.8125rem] leading-snug">
              <span
                class={`mt-1.5 size-2 flex-none rounded-full ${tone === 'good' ? 'fill-free' : 'bg-danger'}`}
                aria-hidden="true"
              />
              <span class="min-w-0">
                {text}
                <span class="block truncate text-xs text-muted tabular-nums">
                  {formatClock(at)}
                  {keyId !== undefined && <span class="font-mono"> · {keyId}</span>}
                </span>
              </span>
            </li>
          ))}
        </ul>
      </div>
    </section>
  );
}

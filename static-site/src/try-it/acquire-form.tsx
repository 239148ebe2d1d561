import { useId, useState } from 'preact/hooks';
import type { AcquireLeaseRequest } from '../../../shared/contract/leases.ts';
import { ApiError } from '../api/api-error.ts';
import { FormField, issueOf, withoutFieldIssues } from '../components/form-field.tsx';
import { Icon } from '../components/icon.tsx';
import { ErrorNotice } from '../components/notice.tsx';
import { useAction } from '../components/use-action.ts';
import type { PoolsFeed } from '../pools/pools-feed.ts';
import { pathOf } from '../router.ts';
import { formatCount } from '../text/format-count.ts';
import { CodePanel } from './code-panel.tsx';
import type { LeaseDesk } from './lease-desk.ts';
import { acquireSnippet, type SnippetContext } from './snippets.ts';

interface AcquireFormProps {
  readonly desk: LeaseDesk;
  /** Undefined for a client, which may not see pools. */
  readonly pools: PoolsFeed | undefined;
  readonly pool: string;
  readonly onPool: (pool: string) => void;
  readonly context: SnippetContext;
}

/** What to acquire, and the lines that do it elsewhere. */
export function AcquireForm({ desk, pools, pool, onPool, context }: AcquireFormProps) {
  const listId = useId();
  const [leaseSeconds, setLeaseSeconds] = useState('');
  const [holder, setHolder] = useState('');
  const action = useAction();
  const known = pools?.value.value;
  const chosen = known?.find((candidate) => candidate.pool === pool);
  const request: AcquireLeaseRequest = {
    pool,
    ...(leaseSeconds !== '' && { leaseSeconds: Number(leaseSeconds) }),
    ...(holder.trim() !== '' && { holder: holder.trim() }),
  };
  const acquire = async (): Promise<void> => {
    await action.run(() => desk.acquire(request));
    pools?.refresh();
  };
  const isEmpty = action.error instanceof ApiError && action.error.code === 'no_key_available';

  return (
    <section class="card grid gap-6 p-4 sm:p-6 lg:grid-cols-2" aria-labelledby="acquire-heading">
      <form
        class="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          void acquire();
        }}
      >
        <h2 id="acquire-heading" class="font-semibold">
          Acquire a key
        </h2>
        <FormField
          label="Pool"
          hint={pools && <FreeNow pools={pools} pool={pool} />}
          error={issueOf(action.error, 'pool')}
        >
          {(attributes) => (
            <input
              {...attributes}
              class="field"
              required
              list={listId}
              autocomplete="off"
              autocapitalize="off"
              spellcheck={false}
              value={pool}
              onInput={(event) => onPool(event.currentTarget.value.trim())}
            />
          )}
        </FormField>
        <datalist id={listId}>
          {known?.map(({ pool: name }) => (
            <option key={name} value={name} />
          ))}
        </datalist>
        <div class="grid gap-4 sm:grid-cols-2">
          <FormField
            label="Lease, in seconds"
            hint="Short ones lapse while you watch"
            error={issueOf(action.error, 'leaseSeconds')}
          >
            {(attributes) => (
              <input
                {...attributes}
                type="number"
                class="field tabular-nums"
                min={1}
                max={86_400}
                placeholder={chosen === undefined ? "the pool's" : String(chosen.leaseSeconds)}
                value={leaseSeconds}
                onInput={(event) => setLeaseSeconds(event.currentTarget.value)}
              />
            )}
          </FormField>
          <FormField
            label="Holder"
            hint="A label for people, optional"
            error={issueOf(action.error, 'holder')}
          >
            {(attributes) => (
              <input
                {...attributes}
                class="field"
                maxLength={200}
                autocomplete="off"
                placeholder="build-agent-7"
                value={holder}
                onInput={(event) => setHolder(event.currentTarget.value)}
              />
            )}
          </FormField>
        </div>
        <div>
          <button type="submit" class="button button-primary min-h-10" disabled={action.running}>
            <Icon name="key" /> Acquire
          </button>
          <ErrorNotice error={withoutFieldIssues(action.error, 'pool', 'leaseSeconds', 'holder')} />
          {isEmpty && pools !== undefined && (
            <p class="mt-2 text-xs">
              <a class="text-accent underline underline-offset-2" href={pathOf({ view: 'pool', pool })}>
                See who holds them
              </a>
            </p>
          )}
        </div>
      </form>
      <CodePanel title="Acquire" snippet={acquireSnippet(context, request)} />
    </section>
  );
}

/** Takes its line from the start, so that nothing below moves when the number comes. */
function FreeNow({ pools, pool }: { pools: PoolsFeed; pool: string }) {
  const known = pools.value.value;
  if (known === undefined) return '…';
  const chosen = known.find((candidate) => candidate.pool === pool);
  return chosen === undefined ? 'No pool of this name' : `${formatCount(chosen.counts.free)} free now`;
}

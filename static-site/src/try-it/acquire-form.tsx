import { useState } from 'preact/hooks';
import { NoKeyAvailableError } from '../../../client/sdk/errors.ts';
import type { AcquireLeaseRequest } from '../../../shared/contract/leases.ts';
import { NumberField, TextField } from '../components/fields.tsx';
import { Form } from '../components/form.tsx';
import { Icon } from '../components/icon.tsx';
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
  /** The pools that the credential is limited to. */
  readonly limitedTo: readonly string[] | undefined;
  readonly pool: string;
  readonly onPool: (pool: string) => void;
  readonly context: SnippetContext;
}

/** What to acquire, and the code that does the same elsewhere. */
export function AcquireForm({ desk, pools, limitedTo, pool, onPool, context }: AcquireFormProps) {
  const [leaseSeconds, setLeaseSeconds] = useState('');
  const [holder, setHolder] = useState('');
  const [isExhausted, setExhausted] = useState(false);
  const known = pools?.value.value;
  const chosen = known?.find((candidate) => candidate.pool === pool);
  const request: AcquireLeaseRequest = {
    pool,
    ...(leaseSeconds !== '' && { leaseSeconds: Number(leaseSeconds) }),
    ...(holder.trim() !== '' && { holder: holder.trim() }),
  };
  const acquire = async (): Promise<void> => {
    setExhausted(false);
    try {
      await desk.acquire(request);
    } catch (error) {
      setExhausted(error instanceof NoKeyAvailableError);
      throw error;
    } finally {
      pools?.refresh();
    }
  };

  return (
    <section class="card grid gap-6 p-4 sm:p-6 lg:grid-cols-2" aria-labelledby="acquire-heading">
      <div class="space-y-4">
        <h2 id="acquire-heading" class="font-semibold">
          Acquire a key
        </h2>
        <Form
          fields={['pool', 'leaseSeconds', 'holder']}
          submit={
            <>
              <Icon name="key" /> Acquire
            </>
          }
          onSubmit={acquire}
        >
          <TextField
            label="Pool"
            name="pool"
            hint={pools && <FreeNow pools={pools} pool={pool} />}
            required
            suggestions={known?.map((one) => one.pool) ?? limitedTo}
            value={pool}
            onValue={(name) => onPool(name.trim())}
          />
          <div class="grid gap-4 sm:grid-cols-2">
            <NumberField
              label="Lease, in seconds"
              name="leaseSeconds"
              hint="Short ones lapse while you watch"
              min={1}
              max={86_400}
              placeholder={chosen === undefined ? "the pool's" : String(chosen.leaseSeconds)}
              value={leaseSeconds}
              onValue={setLeaseSeconds}
            />
            <TextField
              label="Holder"
              name="holder"
              hint="A label for people, optional"
              maxLength={200}
              placeholder="build-agent-7"
              value={holder}
              onValue={setHolder}
            />
          </div>
        </Form>
        {isExhausted && pools !== undefined && (
          <a class="text-xs text-accent underline underline-offset-2" href={pathOf({ view: 'pool', pool })}>
            See who holds them
          </a>
        )}
      </div>
      <CodePanel title="Acquire" snippet={acquireSnippet(context, request)} />
    </section>
  );
}

/** Takes up its line before the number is known, so that nothing below moves. */
function FreeNow({ pools, pool }: { pools: PoolsFeed; pool: string }) {
  const known = pools.value.value;
  if (known === undefined) return '…';
  const chosen = known.find((candidate) => candidate.pool === pool);
  return chosen === undefined ? 'No pool of this name' : `${formatCount(chosen.counts.free)} free now`;
}

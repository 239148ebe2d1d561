import { useEffect, useRef, useState } from 'preact/hooks';
import { Icon } from '../components/icon.tsx';
import { Loading } from '../components/loading.tsx';
import { PageHeading } from '../components/page-heading.tsx';
import { CreateKeysDialog } from '../keys/create-keys-dialog.tsx';
import { KeysSection } from '../keys/keys-section.tsx';
import { navigate, pathOf } from '../router.ts';
import { canLease, canManage } from '../session/access.ts';
import type { SignedIn } from '../session/session.ts';
import { DEFAULT_POOL, DeletePoolDialog } from './delete-pool-dialog.tsx';
import { EditPolicyDialog } from './policy-dialogs.tsx';
import { ConditionBadge } from './pool-condition.tsx';
import { PoolFacts } from './pool-facts.tsx';
import type { PoolsFeed } from './pools-feed.ts';
import { QueueSection } from './queue-section.tsx';
import { UsageSection } from './usage-section.tsx';

interface PoolPageProps {
  readonly signedIn: SignedIn;
  readonly pools: PoolsFeed;
  readonly name: string;
  /** The key whose drawer is open. */
  readonly openKey: string | undefined;
}

/** One pool: its numbers, its policy, who waits, its keys. */
export function PoolPage({ signedIn, pools: feed, name, openKey }: PoolPageProps) {
  const openedAt = useRef(performance.now());
  const [dialog, setDialog] = useState<'keys' | 'policy' | 'delete' | undefined>(undefined);
  const [isUsageShown, setUsageShown] = useState(false);
  // Grows with each change made here, so that the table reloads at once.
  const [changes, setChanges] = useState(0);
  useEffect(() => feed.refresh(), [feed]);

  const pool = feed.value.value?.find((candidate) => candidate.pool === name);
  if (pool === undefined) {
    // A pool that was just created is missing in an older response.
    const isKnown = feed.value.value !== undefined && feed.sentAt.value > openedAt.current;
    return isKnown ? <NoSuchPool name={name} /> : <LoadingPool name={name} error={feed.error.value} />;
  }

  const close = (): void => setDialog(undefined);
  const onChanged = (): void => {
    feed.refresh();
    setChanges((count) => count + 1);
  };
  const { caller } = signedIn;
  return (
    <>
      <BackLink />
      <PageHeading
        name={name}
        title={
          <span class="inline-flex flex-wrap items-center gap-x-3 gap-y-1 break-all">
            {name} <ConditionBadge pool={pool} />
          </span>
        }
        actions={
          <>
            <a class="button button-plain" href={pathOf({ view: 'events', pool: name })}>
              <Icon name="clock" /> Events
            </a>
            <button
              type="button"
              class="button button-plain"
              aria-expanded={isUsageShown}
              onClick={() => setUsageShown(!isUsageShown)}
            >
              Usage
            </button>
            {canLease(caller) && (
              <a class="button button-plain" href={pathOf({ view: 'try-it', pool: name })}>
                Try it
              </a>
            )}
            {canManage(caller) && (
              <>
                <button type="button" class="button button-plain" onClick={() => setDialog('policy')}>
                  <Icon name="sliders" /> Edit policy
                </button>
                <button type="button" class="button button-plain" onClick={() => setDialog('delete')}>
                  <Icon name="trash" /> {name === DEFAULT_POOL ? 'Empty pool' : 'Delete pool'}
                </button>
                {pool.targetSize === null && (
                  <button type="button" class="button button-primary" onClick={() => setDialog('keys')}>
                    <Icon name="plus" /> Create keys
                  </button>
                )}
              </>
            )}
          </>
        }
      />
      <PoolFacts pool={pool} feed={feed} />
      {isUsageShown && (
        <div class="mb-5">
          <UsageSection api={signedIn.api} pool={pool} live={feed.history.value.pools.get(name) ?? []} />
        </div>
      )}
      {pool.fair && <QueueSection api={signedIn.api} pool={pool} />}
      <KeysSection
        signedIn={signedIn}
        pool={pool}
        openKey={openKey}
        changes={changes}
        onChanged={() => feed.refresh()}
        onCreateKeys={() => setDialog('keys')}
      />
      {dialog === 'keys' && (
        <CreateKeysDialog api={signedIn.api} pool={name} onClose={close} onCreated={onChanged} />
      )}
      {dialog === 'policy' && (
        <EditPolicyDialog api={signedIn.api} pool={pool} onClose={close} onSaved={onChanged} />
      )}
      {dialog === 'delete' && (
        <DeletePoolDialog
          api={signedIn.api}
          pool={pool}
          onClose={close}
          onDeleted={() => {
            onChanged();
            if (name !== DEFAULT_POOL) navigate({ view: 'overview' });
          }}
        />
      )}
    </>
  );
}

function BackLink() {
  return (
    <a
      href="/"
      class="-ml-1 mb-2 inline-flex items-center gap-1.5 rounded-md px-1 text-[0.8125rem] text-muted hover:text-ink"
    >
      <Icon name="back" size={14} /> All pools
    </a>
  );
}

function NoSuchPool({ name }: { name: string }) {
  return (
    <>
      <BackLink />
      <PageHeading title="No such pool" name="No such pool">
        There is no pool named “{name}”, or this credential may not see it.
      </PageHeading>
    </>
  );
}

function LoadingPool({ name, error }: { name: string; error: unknown }) {
  return (
    <>
      <BackLink />
      <PageHeading title={name} name={name} />
      <Loading error={error} shapes={['h-32', 'h-96']} />
    </>
  );
}

import { UnreachableError } from '../../../client/sdk/errors.ts';
import { explainOutage } from '../api/explain-error.ts';
import { Icon } from '../components/icon.tsx';
import { askAgain, outage } from '../poll/connection.ts';
import { formatClock } from '../time/time-text.tsx';

/** Shows that requests fail, and since when. */
export function ConnectionBanner() {
  const current = outage.value;
  return (
    <div role="status">
      {current !== undefined && (
        <div class="border-t border-danger-line bg-danger-soft text-danger">
          <div class="mx-auto flex max-w-[84rem] flex-wrap items-center gap-x-3 gap-y-1 px-4 py-2 text-[0.8125rem] sm:px-8">
            <Icon name="warning" />
            <p class="min-w-0 flex-1 basis-60">
              <strong class="font-semibold">
                {current.error instanceof UnreachableError ? 'Connection lost' : 'The service has trouble'}
              </strong>{' '}
              since {formatClock(current.since)}. {explainOutage(current.error)} What you see is from before.
            </p>
            <button
              type="button"
              class="button min-h-8 border-danger-line px-2.5 hover:bg-surface"
              onClick={() => {
                askAgain.value += 1;
              }}
            >
              Try now
            </button>
          </div>
        </div>
      )}
    </div>
  );
}

import { useState } from 'preact/hooks';
import type { Pool } from '../../../shared/contract/pools.ts';
import type { Api } from '../api/api-client.ts';
import { Dialog, DialogButtons } from '../components/dialog.tsx';
import { FormField } from '../components/form-field.tsx';
import { ErrorNotice } from '../components/notice.tsx';
import { announce } from '../components/toasts.tsx';
import { useAction } from '../components/use-action.ts';
import { addCounts, formatCount } from '../text/format-count.ts';

interface DeletePoolDialogProps {
  readonly api: Api;
  readonly pool: Pool;
  readonly onClose: () => void;
  readonly onDeleted: () => void;
}

/** The pool that always exists. */
export const DEFAULT_POOL = 'default';

/** Asks for the pool's name: this takes everything from everybody who works with the pool. */
export function DeletePoolDialog({ api, pool, onClose, onDeleted }: DeletePoolDialogProps) {
  const [typed, setTyped] = useState('');
  const action = useAction();
  const isDefault = pool.pool === DEFAULT_POOL;
  const { free, leased, cooling } = pool.counts;
  const remove = async (): Promise<void> => {
    if (typed !== pool.pool) return;
    if (!(await action.run(async () => void (await api.deletePool(pool.pool))))) return;
    announce(isDefault ? 'The default pool is being emptied' : `Pool ${pool.pool} deleted`);
    onClose();
    onDeleted();
  };
  return (
    <Dialog title={isDefault ? 'Empty the default pool?' : `Delete pool ${pool.pool}?`} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void remove();
        }}
      >
        <div class="mb-4 space-y-3 text-muted">
          <p>
            All its keys go for good (now {formatCount(addCounts([free, leased, cooling]))}, of which{' '}
            {formatCount(leased)} leased), within 5 seconds for every caller.
            {isDefault && ' The pool itself stays: default always exists.'}
          </p>
          <p>
            Whoever holds a lease is answered{' '}
            <code class="rounded bg-sunken px-1 py-0.5 font-mono text-xs text-ink">410 lease_ended</code> at
            the next keep-alive. This cannot be undone.
          </p>
        </div>
        <FormField label={`Type ${pool.pool} to confirm`}>
          {(attributes) => (
            <input
              {...attributes}
              class="field"
              autocomplete="off"
              autocapitalize="off"
              spellcheck={false}
              value={typed}
              onInput={(event) => setTyped(event.currentTarget.value)}
            />
          )}
        </FormField>
        <ErrorNotice error={action.error} />
        <DialogButtons>
          <button type="button" class="button button-plain" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="button button-danger" disabled={action.running || typed !== pool.pool}>
            {isDefault ? 'Empty pool' : 'Delete pool'}
          </button>
        </DialogButtons>
      </form>
    </Dialog>
  );
}

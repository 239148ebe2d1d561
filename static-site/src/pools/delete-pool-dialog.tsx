import { useState } from 'preact/hooks';
import type { Pool } from '../../../shared/contract/pools.ts';
import type { Api } from '../api/api.ts';
import { Dialog } from '../components/dialog.tsx';
import { TextField } from '../components/fields.tsx';
import { Form } from '../components/form.tsx';
import { announce } from '../components/toasts.tsx';
import { addCounts, formatCount } from '../text/format-count.ts';

interface DeletePoolDialogProps {
  readonly api: Api;
  readonly pool: Pool;
  readonly onClose: () => void;
  readonly onDeleted: () => void;
}

/** The pool that always exists. */
export const DEFAULT_POOL = 'default';

/** Asks to type the pool's name, since this ends the lease of everybody who works with the pool. */
export function DeletePoolDialog({ api, pool, onClose, onDeleted }: DeletePoolDialogProps) {
  const [typed, setTyped] = useState('');
  const isDefault = pool.pool === DEFAULT_POOL;
  const { free, leased, cooling, paused } = pool.counts;
  const remove = async (): Promise<void> => {
    await api.deletePool(pool.pool);
    announce(isDefault ? 'The default pool is being emptied' : `Pool ${pool.pool} deleted`);
    onClose();
    onDeleted();
  };
  return (
    <Dialog title={isDefault ? 'Empty the default pool?' : `Delete pool ${pool.pool}?`} onClose={onClose}>
      <Form
        submit={isDefault ? 'Empty pool' : 'Delete pool'}
        tone="danger"
        disabled={typed !== pool.pool}
        onSubmit={remove}
        onCancel={onClose}
      >
        <div class="space-y-3 text-muted">
          <p>
            All its keys go for good (now {formatCount(addCounts([free, leased, cooling, paused]))}, of which{' '}
            {formatCount(leased)} leased), within 5 seconds for every caller.
            {isDefault && ' The pool itself stays: default always exists.'}
          </p>
          <p>
            Whoever holds a lease is answered{' '}
            <code class="rounded bg-sunken px-1 py-0.5 font-mono text-xs text-ink">410 lease_ended</code> at
            the next keep-alive. This cannot be undone.
          </p>
        </div>
        <TextField label={`Type ${pool.pool} to confirm`} value={typed} onValue={setTyped} />
      </Form>
    </Dialog>
  );
}

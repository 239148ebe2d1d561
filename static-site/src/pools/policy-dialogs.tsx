import { useState } from 'preact/hooks';
import { NotFoundError, PoolChangedError } from '../../../client/sdk/errors.ts';
import type { Pool } from '../../../shared/contract/pools.ts';
import type { Api } from '../api/api.ts';
import { Dialog } from '../components/dialog.tsx';
import { TextField } from '../components/fields.tsx';
import { Form } from '../components/form.tsx';
import { announce } from '../components/toasts.tsx';
import { policyFieldNames } from './policy-controls.ts';
import { draftOf, newPolicyDraft, PolicyFields, policyOf } from './policy-fields.tsx';

interface PolicyDialogProps {
  readonly api: Api;
  readonly onClose: () => void;
  readonly onSaved: (pool: Pool) => void;
}

export function CreatePoolDialog({ api, onClose, onSaved }: PolicyDialogProps) {
  const [typed, setTyped] = useState('');
  const [taken, setTaken] = useState<string | undefined>(undefined);
  const [draft, setDraft] = useState(newPolicyDraft);
  const name = typed.trim();
  const create = async (): Promise<void> => {
    // PUT would replace the policy of an existing pool.
    if (await exists(api, name)) return setTaken(name);
    const { body: pool } = await api.putPool(name, policyOf(draft));
    announce(`Pool ${pool.pool} created`);
    onClose();
    onSaved(pool);
  };
  return (
    <Dialog title="Create a pool" onClose={onClose}>
      <Form fields={['pool', ...policyFieldNames]} submit="Create pool" onSubmit={create} onCancel={onClose}>
        <TextField
          label="Name"
          name="pool"
          hint="Small letters, digits, full stops, hyphens and underscores"
          error={taken === name ? 'There is a pool of this name already' : undefined}
          required
          maxLength={63}
          value={typed}
          onValue={setTyped}
        />
        <PolicyFields draft={draft} onDraft={setDraft} />
      </Form>
    </Dialog>
  );
}

async function exists(api: Api, pool: string): Promise<boolean> {
  try {
    await api.getPool(pool);
    return true;
  } catch (error) {
    if (error instanceof NotFoundError) return false;
    throw error;
  }
}

export function EditPolicyDialog({
  api,
  pool,
  onClose,
  onSaved,
}: PolicyDialogProps & { readonly pool: Pool }) {
  // The pool when the dialog opened, not the newest one: saving must not overwrite what others changed since.
  const [loaded, setLoaded] = useState(pool);
  const [draft, setDraft] = useState(() => draftOf(pool));
  const [isOutdated, setOutdated] = useState(false);
  const save = async (): Promise<void> => {
    const { pool: name, updatedAt } = loaded;
    try {
      const { body } = await api.patchPool(name, { ...policyOf(draft), expectedUpdatedAt: updatedAt });
      announce('Policy saved');
      onClose();
      onSaved(body);
    } catch (error) {
      setOutdated(error instanceof PoolChangedError);
      throw error;
    }
  };
  const reload = async (): Promise<void> => {
    const { body } = await api.getPool(loaded.pool);
    setLoaded(body);
    setDraft(draftOf(body));
    setOutdated(false);
  };
  return (
    <Dialog title={`Policy of ${loaded.pool}`} onClose={onClose}>
      <Form
        fields={policyFieldNames}
        submit={isOutdated ? 'Load the changed policy' : 'Save policy'}
        onSubmit={isOutdated ? reload : save}
        onCancel={onClose}
      >
        <PolicyFields draft={draft} onDraft={setDraft} />
      </Form>
    </Dialog>
  );
}

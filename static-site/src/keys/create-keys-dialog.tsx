import { useState } from 'preact/hooks';
import type { Api } from '../api/api.ts';
import { Dialog } from '../components/dialog.tsx';
import { NumberField, readNumber } from '../components/fields.tsx';
import { Form } from '../components/form.tsx';
import { announce } from '../components/toasts.tsx';
import { plural } from '../text/format-count.ts';

interface CreateKeysDialogProps {
  readonly api: Api;
  readonly pool: string;
  readonly onClose: () => void;
  readonly onCreated: () => void;
}

export function CreateKeysDialog({ api, pool, onClose, onCreated }: CreateKeysDialogProps) {
  const [count, setCount] = useState('10');
  const create = async (): Promise<void> => {
    const wanted = readNumber(count);
    await api.createKeys({ pool, count: wanted });
    announce(`${plural(wanted, 'key')} created in ${pool}`);
    onClose();
    onCreated();
  };
  return (
    <Dialog title={`Create keys in ${pool}`} onClose={onClose}>
      <Form fields={['count']} submit="Create keys" onSubmit={create} onCancel={onClose}>
        <NumberField
          label="How many"
          name="count"
          hint="1 to 1,000 at a time. They are free at once."
          min={1}
          max={1000}
          required
          value={count}
          onValue={setCount}
        />
      </Form>
    </Dialog>
  );
}

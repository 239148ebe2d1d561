import { useState } from 'preact/hooks';
import type { Api } from '../api/api.ts';
import { Dialog } from '../components/dialog.tsx';
import { Check, NumberField, readNumber, TextArea } from '../components/fields.tsx';
import { Form } from '../components/form.tsx';
import { announce } from '../components/toasts.tsx';
import { plural } from '../text/format-count.ts';

interface CreateKeysDialogProps {
  readonly api: Api;
  readonly pool: string;
  readonly onClose: () => void;
  readonly onCreated: () => void;
}

/** Keys that the service makes up, or imported secrets, one key each. */
export function CreateKeysDialog({ api, pool, onClose, onCreated }: CreateKeysDialogProps) {
  const [count, setCount] = useState('10');
  const [isImport, setImport] = useState(false);
  const [text, setText] = useState('');
  const values = text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '');

  const create = async (): Promise<void> => {
    const { body } = await (isImport
      ? api.createKeys({ pool, values })
      : api.createKeys({ pool, count: readNumber(count) }));
    announce(`${plural(body.keys.length, 'key')} ${isImport ? 'imported into' : 'created in'} ${pool}`);
    onClose();
    onCreated();
  };
  const readFile = async (file: File | undefined): Promise<void> => {
    if (file !== undefined) setText(await file.text());
  };

  return (
    <Dialog title={`Create keys in ${pool}`} onClose={onClose}>
      <Form
        fields={isImport ? ['values'] : ['count']}
        submit={isImport ? `Import ${plural(values.length, 'key')}` : 'Create keys'}
        disabled={isImport && values.length === 0}
        onSubmit={create}
        onCancel={onClose}
      >
        {isImport ? (
          <>
            <TextArea
              label="Secrets, one a line"
              name="values"
              hint="Up to 1,000 at a time. Each is shown to nobody but the holder of its key."
              rows={8}
              value={text}
              onValue={setText}
            />
            <input
              type="file"
              accept="text/plain,.txt"
              aria-label="Read them from a file"
              class="block w-full text-xs text-muted"
              onChange={(event) => void readFile(event.currentTarget.files?.[0])}
            />
          </>
        ) : (
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
        )}
        <Check label="Import secrets, one key each" checked={isImport} onChange={setImport} />
      </Form>
    </Dialog>
  );
}

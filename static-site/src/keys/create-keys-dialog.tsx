import { useState } from 'preact/hooks';
import type { Api } from '../api/api-client.ts';
import { Dialog, DialogButtons } from '../components/dialog.tsx';
import { FormField, issueOf, withoutFieldIssues } from '../components/form-field.tsx';
import { ErrorNotice } from '../components/notice.tsx';
import { announce } from '../components/toasts.tsx';
import { useAction } from '../components/use-action.ts';
import { plural } from '../text/format-count.ts';
import { readWholeNumber } from '../text/read-whole-number.ts';

interface CreateKeysDialogProps {
  readonly api: Api;
  readonly pool: string;
  readonly onClose: () => void;
  readonly onCreated: () => void;
}

export function CreateKeysDialog({ api, pool, onClose, onCreated }: CreateKeysDialogProps) {
  const [count, setCount] = useState('10');
  const action = useAction();
  const create = async (): Promise<void> => {
    const wanted = readWholeNumber(count);
    if (!(await action.run(async () => void (await api.createKeys({ pool, count: wanted }))))) return;
    announce(`${plural(wanted, 'key')} created in ${pool}`);
    onClose();
    onCreated();
  };
  return (
    <Dialog title={`Create keys in ${pool}`} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void create();
        }}
      >
        <FormField
          label="How many"
          hint="1 to 1,000 at a time. They are free at once."
          error={issueOf(action.error, 'count')}
        >
          {(attributes) => (
            <input
              {...attributes}
              type="number"
              class="field tabular-nums"
              min={1}
              max={1000}
              step={1}
              required
              value={count}
              onInput={(event) => setCount(event.currentTarget.value)}
            />
          )}
        </FormField>
        <ErrorNotice error={withoutFieldIssues(action.error, 'count')} />
        <DialogButtons>
          <button type="button" class="button button-plain" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="button button-primary" disabled={action.running}>
            {action.running ? 'Creating…' : 'Create keys'}
          </button>
        </DialogButtons>
      </form>
    </Dialog>
  );
}

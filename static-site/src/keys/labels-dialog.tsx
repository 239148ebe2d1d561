import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Key } from '../../../shared/contract/keys.ts';
import type { Labels } from '../../../shared/contract/primitives.ts';
import { Dialog } from '../components/dialog.tsx';
import { TextField } from '../components/fields.tsx';
import { Form } from '../components/form.tsx';
import { Icon } from '../components/icon.tsx';

const MAX_LABELS = 8;
/** As the API has it. What it finds wrong besides is about the text. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

interface LabelsDialogProps {
  readonly target: Key;
  readonly onClose: () => void;
  /** What it throws is shown in the dialog. */
  readonly onSave: (labels: Labels) => Promise<void>;
}

/** A label while it is edited; `id` tells rows apart whose names are the same. */
interface Row {
  readonly id: number;
  readonly name: string;
  readonly text: string;
}

let lastId = 0;

function newRow(name = '', text = ''): Row {
  lastId += 1;
  return { id: lastId, name, text };
}

/** Edits the labels of a key: all of them are replaced. */
export function LabelsDialog({ target, onClose, onSave }: LabelsDialogProps) {
  const [rows, setRows] = useState<readonly Row[]>(() => {
    const labels = Object.entries(target.labels ?? {}).map(([name, text]) => newRow(name, text));
    return labels.length === 0 ? [newRow()] : labels;
  });
  const list = useRef<HTMLDivElement>(null);
  const count = useRef(rows.length);
  // The focus goes to a row that was added, and not to nowhere with one that was removed.
  useLayoutEffect(() => {
    if (count.current === rows.length) return;
    count.current = rows.length;
    const inputs = [...(list.current?.querySelectorAll('input') ?? [])];
    (inputs.at(-2) ?? list.current?.querySelector('button'))?.focus();
  }, [rows.length]);
  const wrongName = ({ id, name }: Row): string | undefined => {
    if (name === '') return undefined;
    if (!NAME.test(name)) return 'Letters, digits, “.”, “_”, “-”; first a letter or digit';
    const isFirst = rows.find((row) => row.name === name)?.id === id;
    return isFirst ? undefined : 'There is a label of this name already';
  };
  const change = (id: number, part: Partial<Row>): void =>
    setRows(rows.map((row) => (row.id === id ? { ...row, ...part } : row)));
  const save = async (): Promise<void> => {
    await onSave(Object.fromEntries(rows.map(({ name, text }) => [name, text])));
    onClose();
  };
  return (
    <Dialog title="Labels" onClose={onClose} wide>
      <Form
        fields={rows.map(fieldOf)}
        submit="Save labels"
        disabled={rows.some((row) => wrongName(row) !== undefined)}
        onSubmit={save}
        onCancel={onClose}
      >
        <p class="font-mono text-[0.8125rem] break-all">{target.keyId}</p>
        <p class="text-muted">
          Notes on the key, such as the account that it stands for: found by the search, and shown to whoever
          holds it. Not for secrets.
        </p>
        <div ref={list} class="space-y-3">
          {rows.map((row, index) => (
            <div key={row.id} class="grid grid-cols-[2fr_3fr_auto] items-start gap-2">
              <TextField
                label={`Name ${index + 1}`}
                error={wrongName(row)}
                required
                maxLength={63}
                value={row.name}
                onValue={(name) => change(row.id, { name: name.trim() })}
              />
              <TextField
                label={`Text ${index + 1}`}
                name={fieldOf(row)}
                required
                maxLength={200}
                value={row.text}
                onValue={(text) => change(row.id, { text })}
              />
              <button
                type="button"
                class="button button-quiet button-icon mt-7"
                aria-label={`Remove label ${index + 1}`}
                onClick={() => setRows(rows.filter(({ id }) => id !== row.id))}
              >
                <Icon name="close" />
              </button>
            </div>
          ))}
          <button
            type="button"
            class="button button-plain"
            disabled={rows.length >= MAX_LABELS}
            onClick={() => setRows([...rows, newRow()])}
          >
            <Icon name="plus" /> {rows.length < MAX_LABELS ? 'Add a label' : 'At most 8 labels'}
          </button>
        </div>
      </Form>
    </Dialog>
  );
}

/** The API's name of a label. */
function fieldOf({ name }: Row): string {
  return `labels.${name}`;
}

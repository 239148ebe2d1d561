import { useEffect, useRef, useState } from 'preact/hooks';
import { randomId } from '../../../client/sdk/repeat.ts';
import type { CreateKeysRequest } from '../../../shared/contract/keys.ts';
import type { Api } from '../api/api.ts';
import { Dialog } from '../components/dialog.tsx';
import { Check, NumberField, readNumber, TextArea } from '../components/fields.tsx';
import { Form } from '../components/form.tsx';
import { announce } from '../components/toasts.tsx';
import { formatNumber, plural } from '../text/format-count.ts';
import {
  BATCH,
  explainFormat,
  explainRefusal,
  explainRepeat,
  type ImportLine,
  readLines,
  textAfter,
} from './import-values.ts';

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
  const [refusal, setRefusal] = useState<string | undefined>(undefined);
  const [progress, setProgress] = useState<Progress | undefined>(undefined);
  const isOpen = useRef(true);
  useEffect(
    () => () => {
      isOpen.current = false;
    },
    [],
  );
  const create = useCreation(api);
  const lines = readLines(text);

  const makeUp = async (): Promise<void> => {
    const { body } = await create({ pool, count: readNumber(count) });
    announce(`${plural(body.keys.length, 'key')} created in ${pool}`);
    onClose();
    onCreated();
  };
  const importText = async (): Promise<void> => {
    const wrong = explainFormat(text) ?? explainRepeat(lines);
    setRefusal(wrong);
    if (wrong !== undefined) return;
    let done = 0;
    let rest = text;
    try {
      // Closing the dialog stops it after the batch under way.
      for (let left = lines; left.length > 0 && isOpen.current; left = readLines(rest)) {
        setProgress({ done, all: lines.length });
        const batch = left.slice(0, BATCH);
        const refused = await importBatch(batch);
        if (refused !== undefined) {
          const before = done === 0 ? '' : `${plural(done, 'line')} imported, and taken out of the text. `;
          return setRefusal(before + refused);
        }
        // The rest can be mended and imported later.
        rest = textAfter(rest, batch.at(-1)?.line ?? 0);
        setText(rest);
        done += batch.length;
      }
      onClose();
    } finally {
      setProgress(undefined);
      if (done > 0) {
        announce(`${plural(done, 'key')} imported into ${pool}`);
        onCreated();
      }
    }
  };
  /** All or none; returns why it was refused. */
  const importBatch = async (batch: readonly ImportLine[]): Promise<string | undefined> => {
    try {
      await create({ pool, values: batch.map(({ value }) => value) });
      return undefined;
    } catch (error) {
      const refused = explainRefusal(error, batch);
      if (refused === undefined) throw error;
      return refused;
    }
  };
  const readFile = async (file: File | undefined): Promise<void> => {
    if (file !== undefined) setText(await file.text());
  };

  return (
    <Dialog title={`Create keys in ${pool}`} onClose={onClose}>
      <Form
        fields={['count']}
        submit={isImport ? `Import ${plural(lines.length, 'key')}` : 'Create keys'}
        disabled={isImport && lines.length === 0}
        onSubmit={isImport ? importText : makeUp}
        onCancel={onClose}
      >
        <Check label="Import secrets, one key each" checked={isImport} onChange={setImport} />
        {isImport ? (
          <>
            <TextArea
              label="Secrets, one a line"
              hint="Each is shown to nobody but the holder of its key. Up to 1,000 are imported together or not at all, more in batches."
              error={refusal}
              rows={8}
              disabled={progress !== undefined}
              value={text}
              onValue={setText}
            />
            <input
              type="file"
              accept="text/plain,.txt"
              aria-label="Read them from a file"
              class="block w-full text-xs text-muted file:mr-3 file:rounded-lg file:border file:border-solid file:border-line file:bg-surface file:px-3 file:py-1.5 file:font-medium file:text-ink"
              disabled={progress !== undefined}
              onChange={(event) => void readFile(event.currentTarget.files?.[0])}
            />
            {progress !== undefined && progress.all > BATCH && <ImportProgress {...progress} />}
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
      </Form>
    </Dialog>
  );
}

/** Creates keys. The same request again, after an answer that got lost, creates nothing twice. */
function useCreation(api: Api) {
  const last = useRef({ body: '', id: '' });
  return (request: CreateKeysRequest) => {
    const body = JSON.stringify(request);
    if (last.current.body !== body) last.current = { body, id: randomId() };
    return api.createKeys(request, last.current.id);
  };
}

interface Progress {
  readonly done: number;
  readonly all: number;
}

function ImportProgress({ done, all }: Progress) {
  return (
    <div>
      <progress class="progress" aria-label="Imported" value={done} max={all} />
      <p role="status" class="mt-1 text-xs text-muted tabular-nums">
        {formatNumber(done)} of {formatNumber(all)} imported
      </p>
    </div>
  );
}

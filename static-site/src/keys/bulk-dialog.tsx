import { useEffect, useRef, useState } from 'preact/hooks';
import type { Key } from '../../../shared/contract/keys.ts';
import { explainError } from '../api/explain-error.ts';
import { Dialog } from '../components/dialog.tsx';
import { Check, TextField } from '../components/fields.tsx';
import { Form } from '../components/form.tsx';
import { Notice } from '../components/notice.tsx';
import { announce } from '../components/toasts.tsx';
import { formatNumber, plural } from '../text/format-count.ts';

/** Requests under way at once. */
const AT_ONCE = 4;

export type BulkAction = 'refresh' | 'pause' | 'resume' | 'unblock' | 'delete';

/** As it was when it was listed. */
export type ListedKey = Pick<Key, 'keyId' | 'state' | 'fencingToken'>;

interface BulkDialogProps {
  readonly action: BulkAction;
  /** As they were when they were listed: each ending names the lease that was seen. */
  readonly keys: readonly ListedKey[];
  /** Does it to one key; `reason` is why it is paused. */
  readonly onEach: (key: ListedKey, force: boolean, reason: string | undefined) => Promise<void>;
  readonly onClose: () => void;
}

const VERBS: Readonly<Record<BulkAction, string>> = {
  refresh: 'Refresh',
  pause: 'Pause',
  resume: 'Resume',
  unblock: 'Unblock',
  delete: 'Delete',
};

const DONE: Readonly<Record<BulkAction, string>> = {
  refresh: 'Key refreshed',
  pause: 'Key paused: nobody gets it any more',
  resume: 'Key resumed',
  unblock: 'Key unblocked',
  delete: 'Key deleted',
};

interface Outcome {
  readonly done: number;
  readonly failures: readonly { readonly keyId: string; readonly why: string }[];
}

/** Asks, does it to one key after the other, shows how far it is, and says at the end what failed and why. */
export function BulkDialog({ action, keys, onEach, onClose }: BulkDialogProps) {
  const [force, setForce] = useState(false);
  const [reason, setReason] = useState('');
  const [outcome, setOutcome] = useState<Outcome | undefined>(undefined);
  const [isOver, setOver] = useState(false);
  const isOpen = useRef(true);
  useEffect(
    () => () => {
      isOpen.current = false;
    },
    [],
  );
  const held = keys.filter(({ state }) => state === 'leased' || state === 'cooling');
  const meant = action === 'unblock' ? held : keys;
  const verb = `${VERBS[action]} ${plural(meant.length, 'key')}`;

  const run = async (): Promise<void> => {
    const left = [...meant];
    let so: Outcome = { done: 0, failures: [] };
    setOutcome(so);
    // Closing the dialog stops it after the requests under way.
    const work = async (): Promise<void> => {
      for (let key = left.shift(); key !== undefined && isOpen.current; key = left.shift()) {
        const { keyId } = key;
        const why = await onEach(key, force, reason.trim() || undefined).then(() => undefined, explainError);
        so =
          why === undefined
            ? { ...so, done: so.done + 1 }
            : { ...so, failures: [...so.failures, { keyId, why }] };
        setOutcome(so);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    if (meant.length > 1 || so.done < 1) return setOver(true);
    // Of a single key there is nothing more to tell.
    announce(DONE[action]);
    if (isOpen.current) onClose();
  };

  if (outcome !== undefined) {
    return (
      <Dialog title={isOver ? `${VERBS[action]}: the outcome` : `${verb}…`} onClose={onClose} wide>
        <Progress outcome={outcome} all={meant.length} />
        <div class="mt-5 flex justify-end">
          <button type="button" class="button button-plain" onClick={onClose}>
            {isOver ? 'Close' : 'Stop'}
          </button>
        </div>
      </Dialog>
    );
  }
  return (
    <Dialog title={`${verb}?`} onClose={onClose}>
      <Form
        submit={verb}
        tone={action === 'delete' || force ? 'danger' : 'primary'}
        disabled={meant.length === 0}
        onSubmit={run}
        onCancel={onClose}
      >
        <div class="space-y-3 text-muted">
          <p>{explain(action, keys.length, held.length)}</p>
          {action === 'pause' && (
            <TextField label="Reason (optional)" maxLength={200} value={reason} onValue={setReason} />
          )}
          {(action === 'unblock' || action === 'delete') && held.length > 0 && (
            <Check label="Do not wait: free them at once (force)" checked={force} onChange={setForce} />
          )}
          {force && (
            <Notice tone="warning">
              Old holders may still be using their keys while the next ones start. That is safe only where
              what the keys guard rejects smaller fencing tokens.
            </Notice>
          )}
        </div>
      </Form>
    </Dialog>
  );
}

function explain(action: BulkAction, count: number, held: number): string {
  const holders = `${plural(held, 'holder')} will be told at the next keep-alive`;
  switch (action) {
    case 'refresh':
      return 'Their lives start again.';
    case 'pause':
      return 'A lease goes on; after it nobody gets the key until it is resumed. It keeps its seat and does not expire.';
    case 'resume':
      return 'They are in service again, with a whole life before them.';
    case 'unblock':
      return held === count
        ? `The leases that were shown end; ${holders}. A key that somebody else holds by now is left alone.`
        : `Of ${plural(count, 'key')} ${formatNumber(held)} are leased or cooling; the others are left alone, and so is one that somebody else holds by now. ${holders}.`;
    case 'delete':
      return held === 0
        ? 'Nobody holds them. They are deleted for good and cannot be brought back; one that somebody holds by now is left alone.'
        : `They are deleted for good and cannot be brought back; ${holders}. A key that somebody else holds by now is left alone.`;
  }
}

function Progress({ outcome: { done, failures }, all }: { outcome: Outcome; all: number }) {
  return (
    <>
      <progress class="progress" aria-label="Done" value={done + failures.length} max={all} />
      <p role="status" class="mt-2 tabular-nums">
        {formatNumber(done)} of {formatNumber(all)} done
        {failures.length > 0 && `, ${formatNumber(failures.length)} failed`}
      </p>
      {failures.length > 0 && (
        <ul class="mt-3 space-y-2 text-[0.8125rem]" aria-label="What failed">
          {failures.map(({ keyId, why }) => (
            <li key={keyId} data-failed={keyId}>
              <span class="font-mono text-xs break-all">{keyId}</span>
              <br />
              <span class="text-muted">{why}</span>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

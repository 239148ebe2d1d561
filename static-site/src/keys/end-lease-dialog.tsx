import { useState } from 'preact/hooks';
import type { Key } from '../../../shared/contract/keys.ts';
import { Dialog } from '../components/dialog.tsx';
import { Check } from '../components/fields.tsx';
import { Form } from '../components/form.tsx';
import { Notice } from '../components/notice.tsx';

type Target = Pick<Key, 'keyId' | 'state'> & {
  readonly lease?: { clientId: string; holder?: string | undefined } | undefined;
};

interface EndLeaseDialogProps {
  readonly kind: 'unblock' | 'delete';
  readonly target: Target;
  readonly onClose: () => void;
  /** What it throws is shown in the dialog. */
  readonly onConfirm: (force: boolean) => Promise<void>;
}

/** Asks before a lease is ended or a key deleted, and says what the holder will see. */
export function EndLeaseDialog({ kind, target: key, onClose, onConfirm }: EndLeaseDialogProps) {
  const [force, setForce] = useState(false);
  const verb = kind === 'unblock' ? 'Unblock' : 'Delete';
  return (
    <Dialog title={`${verb} this key?`} onClose={onClose}>
      <Form
        submit={`${verb} key`}
        tone={kind === 'delete' || force ? 'danger' : 'primary'}
        onSubmit={async () => {
          await onConfirm(force);
          onClose();
        }}
        onCancel={onClose}
      >
        <p class="font-mono text-[0.8125rem] break-all">{key.keyId}</p>
        <div class="space-y-3 text-muted">
          <Consequences kind={kind} target={key} />
          {key.state !== 'free' && (
            <Check
              label={`Do not wait: ${kind === 'unblock' ? 'free the key' : 'free its seat'} at once (force)`}
              checked={force}
              onChange={setForce}
            />
          )}
          {force && (
            <Notice tone="warning">
              The old holder may still be using the key while the next one starts. That is safe only where
              what the key guards rejects smaller fencing tokens.
            </Notice>
          )}
        </div>
      </Form>
    </Dialog>
  );
}

function Consequences({ kind, target }: { kind: 'unblock' | 'delete'; target: Target }) {
  const { lease } = target;
  const reason = kind === 'unblock' ? 'unblocked' : 'deleted';
  if (lease === undefined) {
    if (target.state === 'cooling') {
      return (
        <p>
          Its lease is over already. The key cools until the old holder’s own deadline has surely passed
          {kind === 'delete' && '; deleted, it keeps its seat in the pool until then'}.
        </p>
      );
    }
    return <p>Nobody holds it. It is deleted for good and cannot be brought back.</p>;
  }
  return (
    <>
      <p>
        <strong class="font-semibold text-ink">{lease.holder ?? lease.clientId}</strong> loses it: the next
        keep-alive is answered{' '}
        <code class="rounded bg-sunken px-1 py-0.5 font-mono text-xs text-ink">410 lease_ended</code> with
        reason <code class="rounded bg-sunken px-1 py-0.5 font-mono text-xs text-ink">{reason}</code>.
      </p>
      <p>
        Until then that holder may go on using the key, so{' '}
        {kind === 'unblock' ? 'it goes to nobody else' : 'its seat stays taken'} before the holder’s own
        deadline has passed: it cools.
      </p>
    </>
  );
}

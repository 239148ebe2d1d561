import { useState } from 'preact/hooks';
import type { Client, CreatedClient } from '../../../shared/contract/clients.ts';
import type { Api } from '../api/api.ts';
import { Dialog } from '../components/dialog.tsx';
import { SelectField } from '../components/fields.tsx';
import { Form } from '../components/form.tsx';
import { Notice } from '../components/notice.tsx';
import { TimeText } from '../time/time-text.tsx';
import { CredentialDialog, LASTING, LIFETIMES } from './credential-dialog.tsx';

/** How long the old secret stays good, in seconds. */
const KEPT = [
  { value: '0', text: 'not at all: it has leaked' },
  { value: '3600', text: 'for an hour' },
  { value: '86400', text: 'for a day' },
  { value: '604800', text: 'for 7 days' },
  { value: '2592000', text: 'for 30 days' },
];

const AS_BEFORE = 'as before';

interface RotateClientDialogProps {
  readonly api: Api;
  readonly client: Client;
  /** Whether it is the client that is signed in here. */
  readonly isSelf: boolean;
  readonly onClose: () => void;
  readonly onRotated: () => void;
}

export function RotateClientDialog({ api, client, isSelf, onClose, onRotated }: RotateClientDialogProps) {
  const [rotated, setRotated] = useState<CreatedClient | undefined>(undefined);
  const [keepOld, setKeepOld] = useState('86400');
  const [expiresIn, setExpiresIn] = useState(AS_BEFORE);
  if (rotated !== undefined) return <CredentialDialog created={rotated} onClose={onClose} />;

  const rotate = async (): Promise<void> => {
    const expiresInSeconds = expiresIn === LASTING ? null : Number(expiresIn);
    const request = {
      keepOldSeconds: Number(keepOld),
      ...(expiresIn !== AS_BEFORE && { expiresInSeconds }),
    };
    setRotated((await api.rotateClient(client.clientId, request)).body);
    onRotated();
  };
  const lasts = client.expiresAt === undefined;
  return (
    <Dialog title={`New secret for ${client.description ?? 'this client'}`} onClose={onClose}>
      <Form
        fields={['keepOldSeconds', 'expiresInSeconds']}
        submit="Rotate"
        onSubmit={rotate}
        onCancel={onClose}
      >
        <p class="font-mono text-[0.8125rem] break-all">{client.clientId}</p>
        {client.oldSecretExpiresAt !== undefined && (
          <Notice tone="warning">
            It was rotated before. The secret from before that is good until{' '}
            <TimeText iso={client.oldSecretExpiresAt} />, and ends at once: go on when no program uses it any
            more.
          </Notice>
        )}
        <SelectField
          label="The secret of now stays good"
          name="keepOldSeconds"
          hint="Give the programs the new one meanwhile."
          value={keepOld}
          onValue={setKeepOld}
          options={KEPT}
        />
        <SelectField
          label="The new one expires"
          name="expiresInSeconds"
          value={expiresIn}
          onValue={setExpiresIn}
          options={[
            { value: AS_BEFORE, text: lasts ? 'never' : 'after as long as the one before' },
            ...LIFETIMES,
            ...(lasts ? [] : [{ value: LASTING, text: 'never' }]),
          ]}
        />
        {isSelf && (
          <Notice tone="info">
            This tab uses the secret of now: sign in with the new one before it ends.
          </Notice>
        )}
      </Form>
    </Dialog>
  );
}

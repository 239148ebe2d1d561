import { useState } from 'preact/hooks';
import type { Client } from '../../../shared/contract/clients.ts';
import type { Api } from '../api/api.ts';
import { Dialog } from '../components/dialog.tsx';
import { Check } from '../components/fields.tsx';
import { Form } from '../components/form.tsx';
import { Notice } from '../components/notice.tsx';
import { announce } from '../components/toasts.tsx';

interface RevokeClientDialogProps {
  readonly api: Api;
  readonly client: Client;
  /** Whether it is the client that is signed in here. */
  readonly isSelf: boolean;
  readonly onClose: () => void;
  readonly onRevoked: () => void;
}

export function RevokeClientDialog({ api, client, isSelf, onClose, onRevoked }: RevokeClientDialogProps) {
  const [isMeant, setMeant] = useState(false);
  const revoke = async (): Promise<void> => {
    await api.deleteClient(client.clientId, isSelf);
    announce(`${client.description ?? client.clientId} revoked`);
    onClose();
    onRevoked();
  };
  return (
    <Dialog title={`Revoke ${client.description ?? 'this client'}?`} onClose={onClose}>
      <Form
        submit="Revoke client"
        tone="danger"
        disabled={isSelf && !isMeant}
        onSubmit={revoke}
        onCancel={onClose}
      >
        <p class="font-mono text-[0.8125rem] break-all">{client.clientId}</p>
        <p class="text-muted">
          Its credential stops working within a minute, for good. Leases that it holds go on until they lapse,
          since nobody can keep them alive; to end one sooner, unblock its key.
        </p>
        {isSelf && (
          <>
            <Notice tone="warning">
              This is your own credential: you will be signed out, here and wherever else it is used.
            </Notice>
            <Check label="Revoke my own credential" checked={isMeant} onChange={setMeant} />
          </>
        )}
      </Form>
    </Dialog>
  );
}

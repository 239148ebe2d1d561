import type { Client } from '../../../shared/contract/clients.ts';
import type { Api } from '../api/api-client.ts';
import { Dialog, DialogButtons } from '../components/dialog.tsx';
import { ErrorNotice, Notice } from '../components/notice.tsx';
import { announce } from '../components/toasts.tsx';
import { useAction } from '../components/use-action.ts';

interface RevokeClientDialogProps {
  readonly api: Api;
  readonly client: Client;
  /** It is the credential of this tab. */
  readonly isSelf: boolean;
  readonly onClose: () => void;
  readonly onRevoked: () => void;
}

export function RevokeClientDialog({ api, client, isSelf, onClose, onRevoked }: RevokeClientDialogProps) {
  const action = useAction();
  const revoke = async (): Promise<void> => {
    if (!(await action.run(async () => void (await api.deleteClient(client.clientId))))) return;
    announce(`${client.description ?? client.clientId} revoked`);
    onClose();
    onRevoked();
  };
  return (
    <Dialog title={`Revoke ${client.description ?? 'this client'}?`} onClose={onClose}>
      <p class="font-mono text-[0.8125rem] break-all">{client.clientId}</p>
      <div class="mt-3 space-y-3 text-muted">
        <p>
          Its credential stops working within a minute, for good. Leases that it holds go on until they lapse,
          since nobody can keep them alive; to end one sooner, unblock its key.
        </p>
        {isSelf && (
          <Notice tone="warning">This is the credential of this tab: you will be signed out.</Notice>
        )}
      </div>
      <ErrorNotice error={action.error} />
      <DialogButtons>
        <button type="button" class="button button-plain" onClick={onClose}>
          Cancel
        </button>
        <button
          type="button"
          class="button button-danger"
          disabled={action.running}
          onClick={() => void revoke()}
        >
          Revoke client
        </button>
      </DialogButtons>
    </Dialog>
  );
}

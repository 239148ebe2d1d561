import type { CreatedClient } from '../../../shared/contract/clients.ts';
import { CopyButton } from '../components/copy-button.tsx';
import { Dialog } from '../components/dialog.tsx';
import { Notice } from '../components/notice.tsx';
import { TimeText } from '../time/time-text.tsx';

/** The choice of a credential that never expires, beside {@link LIFETIMES}. */
export const LASTING = 'never';

/** How long a credential may be good, in seconds. */
export const LIFETIMES = [30, 90, 365].map((days) => ({
  value: `${days * 86_400}`,
  text: `in ${days} days`,
}));

/** The secret is shown here only, so the dialog closes by its button alone. */
export function CredentialDialog({ created, onClose }: { created: CreatedClient; onClose: () => void }) {
  return (
    <Dialog title="Copy the credential now" onClose={onClose} dismissable={false} wide>
      <Notice tone="warning">
        It is shown this once. The service keeps only a hash of it; lost, it can only be replaced.
      </Notice>
      {created.oldSecretExpiresAt !== undefined && (
        <p class="mt-3 text-[0.8125rem] text-muted">
          The old one stays good until <TimeText iso={created.oldSecretExpiresAt} />.
        </p>
      )}
      <div class="mt-4 flex items-start gap-2 rounded-lg border border-line bg-sunken p-3">
        <code class="min-w-0 flex-1 font-mono text-[0.8125rem] break-all" data-credential>
          {created.credential}
        </code>
      </div>
      <div class="mt-6 flex flex-wrap-reverse justify-end gap-2">
        <CopyButton
          text={created.credential}
          name="credential"
          label="Copy credential"
          class="button-plain"
        />
        <button type="button" class="button button-primary" onClick={onClose}>
          I have stored it
        </button>
      </div>
    </Dialog>
  );
}

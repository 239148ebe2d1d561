import { useState } from 'preact/hooks';
import type { CreateClientRequest, CreatedClient, Role } from '../../../shared/contract/clients.ts';
import type { Api } from '../api/api-client.ts';
import { CopyButton } from '../components/copy-button.tsx';
import { Dialog, DialogButtons } from '../components/dialog.tsx';
import { FormField, issueOf, withoutFieldIssues } from '../components/form-field.tsx';
import { ErrorNotice, Notice } from '../components/notice.tsx';
import { useAction } from '../components/use-action.ts';

const ROLES: readonly { role: Role; says: string }[] = [
  { role: 'client', says: 'acquires, keeps alive and releases: for programs' },
  { role: 'viewer', says: 'sees pools and keys: for dashboards and monitoring' },
  { role: 'admin', says: 'everything: for operators' },
];

interface CreateClientDialogProps {
  readonly api: Api;
  /** Names to suggest. */
  readonly pools: readonly string[];
  readonly onClose: () => void;
  readonly onCreated: () => void;
}

export function CreateClientDialog({ api, pools: known, onClose, onCreated }: CreateClientDialogProps) {
  const [created, setCreated] = useState<CreatedClient | undefined>(undefined);
  if (created !== undefined) return <CredentialDialog created={created} onClose={onClose} />;
  return (
    <Dialog title="Create a client" onClose={onClose}>
      <ClientForm
        api={api}
        known={known}
        onClose={onClose}
        onCreated={(client) => {
          setCreated(client);
          onCreated();
        }}
      />
    </Dialog>
  );
}

interface ClientFormProps {
  readonly api: Api;
  readonly known: readonly string[];
  readonly onClose: () => void;
  readonly onCreated: (client: CreatedClient) => void;
}

function ClientForm({ api, known, onClose, onCreated }: ClientFormProps) {
  const [role, setRole] = useState<Role>('client');
  const [description, setDescription] = useState('');
  const [pools, setPools] = useState('');
  const action = useAction();
  const names = pools.split(/[\s,]+/).filter((name) => name !== '');
  const create = (): Promise<boolean> =>
    action.run(async () => {
      const request: CreateClientRequest = {
        role,
        ...(names.length > 0 && { pools: names }),
        ...(description.trim() !== '' && { description: description.trim() }),
      };
      onCreated((await api.createClient(request)).body);
    });
  return (
    <form
      class="space-y-4"
      onSubmit={(event) => {
        event.preventDefault();
        void create();
      }}
    >
      <FormField
        label="Description"
        hint="Who or what it is for"
        error={issueOf(action.error, 'description')}
      >
        {(attributes) => (
          <input
            {...attributes}
            class="field"
            maxLength={200}
            autocomplete="off"
            placeholder="Build agents"
            value={description}
            onInput={(event) => setDescription(event.currentTarget.value)}
          />
        )}
      </FormField>
      <fieldset>
        <legend class="mb-1.5 text-[0.8125rem] font-medium">Role</legend>
        <div class="space-y-1.5">
          {ROLES.map(({ role: name, says }) => (
            <label
              key={name}
              class="flex cursor-pointer items-baseline gap-2.5 rounded-lg border border-line px-3 py-2 text-[0.8125rem] has-checked:border-accent has-checked:bg-accent-soft"
            >
              <input
                type="radio"
                name="role"
                class="check relative top-0.5"
                checked={role === name}
                onChange={() => setRole(name)}
              />
              <span>
                <strong class="font-semibold">{name}</strong> <span class="text-muted">{says}</span>
              </span>
            </label>
          ))}
        </div>
      </fieldset>
      <FormField
        label="Limited to pools"
        hint={`Names with commas between; empty for all.${known.length > 0 ? ` There are ${known.slice(0, 6).join(', ')}${known.length > 6 ? ' …' : ''}.` : ''}`}
        error={action.error === undefined ? undefined : poolIssue(action.error)}
      >
        {(attributes) => (
          <input
            {...attributes}
            class="field"
            autocomplete="off"
            autocapitalize="off"
            spellcheck={false}
            value={pools}
            onInput={(event) => setPools(event.currentTarget.value)}
          />
        )}
      </FormField>
      <ErrorNotice
        error={
          poolIssue(action.error) === undefined ? withoutFieldIssues(action.error, 'description') : undefined
        }
      />
      <DialogButtons>
        <button type="button" class="button button-plain" onClick={onClose}>
          Cancel
        </button>
        <button type="submit" class="button button-primary" disabled={action.running}>
          Create client
        </button>
      </DialogButtons>
    </form>
  );
}

/** The API names the place in the list: `pools.0`. */
function poolIssue(error: unknown): string | undefined {
  for (let index = 0; index < 20; index += 1) {
    const issue = issueOf(error, `pools.${index}`);
    if (issue !== undefined) return issue;
  }
  return issueOf(error, 'pools');
}

/** The one time that the secret is shown: this dialog closes by its button only. */
function CredentialDialog({ created, onClose }: { created: CreatedClient; onClose: () => void }) {
  return (
    <Dialog title="Copy the credential now" onClose={onClose} dismissable={false} wide>
      <Notice tone="warning">
        It is shown this once. The service keeps only a hash of it; lost, it can only be replaced.
      </Notice>
      <div class="mt-4 flex items-start gap-2 rounded-lg border border-line bg-sunken p-3">
        <code class="min-w-0 flex-1 font-mono text-[0.8125rem] break-all" data-credential>
          {created.credential}
        </code>
      </div>
      <DialogButtons>
        <CopyButton
          text={created.credential}
          name="credential"
          label="Copy credential"
          class="button-plain"
        />
        <button type="button" class="button button-primary" onClick={onClose}>
          I have stored it
        </button>
      </DialogButtons>
    </Dialog>
  );
}

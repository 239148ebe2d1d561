import { useState } from 'preact/hooks';
import type { CreateClientRequest, CreatedClient, Role } from '../../../shared/contract/clients.ts';
import type { Api } from '../api/api.ts';
import { Dialog } from '../components/dialog.tsx';
import { SelectField, TextField } from '../components/fields.tsx';
import { Form } from '../components/form.tsx';
import { CredentialDialog, LASTING, LIFETIMES } from './credential-dialog.tsx';

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
  const [role, setRole] = useState<Role>('client');
  const [description, setDescription] = useState('');
  const [pools, setPools] = useState('');
  const [expiresIn, setExpiresIn] = useState(LASTING);
  if (created !== undefined) return <CredentialDialog created={created} onClose={onClose} />;

  const create = async (): Promise<void> => {
    const names = pools.split(/[\s,]+/).filter((name) => name !== '');
    const request: CreateClientRequest = {
      role,
      ...(names.length > 0 && { pools: names }),
      ...(description.trim() !== '' && { description: description.trim() }),
      ...(expiresIn !== LASTING && { expiresInSeconds: Number(expiresIn) }),
    };
    setCreated((await api.createClient(request)).body);
    onCreated();
  };
  return (
    <Dialog title="Create a client" onClose={onClose}>
      <Form
        fields={['description', 'pools', 'expiresInSeconds']}
        submit="Create client"
        onSubmit={create}
        onCancel={onClose}
      >
        <TextField
          label="Description"
          name="description"
          hint="Who or what it is for"
          maxLength={200}
          placeholder="Build agents"
          value={description}
          onValue={setDescription}
        />
        <RoleChoice role={role} onRole={setRole} />
        <TextField
          label="Limited to pools"
          name="pools"
          hint={`Names with commas between; empty for all.${known.length > 0 ? ` There are ${known.slice(0, 6).join(', ')}${known.length > 6 ? ' …' : ''}.` : ''}`}
          value={pools}
          onValue={setPools}
        />
        <SelectField
          label="Expires"
          name="expiresInSeconds"
          value={expiresIn}
          onValue={setExpiresIn}
          options={[{ value: LASTING, text: 'never' }, ...LIFETIMES]}
        />
      </Form>
    </Dialog>
  );
}

function RoleChoice({ role, onRole }: { role: Role; onRole: (role: Role) => void }) {
  return (
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
              onChange={() => onRole(name)}
            />
            <span>
              <strong class="font-semibold">{name}</strong> <span class="text-muted">{says}</span>
            </span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

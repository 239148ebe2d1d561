import { useState } from 'preact/hooks';
import type { Pool, PutPoolRequest } from '../../../shared/contract/pools.ts';
import type { Api } from '../api/api-client.ts';
import { Dialog, DialogButtons } from '../components/dialog.tsx';
import { FormField, issueOf, withoutFieldIssues } from '../components/form-field.tsx';
import { ErrorNotice } from '../components/notice.tsx';
import { announce } from '../components/toasts.tsx';
import { useAction } from '../components/use-action.ts';
import { readWholeNumber } from '../text/read-whole-number.ts';

interface PolicyDialogProps {
  readonly api: Api;
  /** The pool to change; absent: a new one. */
  readonly pool?: Pool;
  /** Names that are taken: a new pool must not replace the policy of one that exists. */
  readonly taken?: readonly string[];
  readonly onClose: () => void;
  readonly onSaved: (pool: Pool) => void;
}

/** The policy of a pool, or a new pool with one. */
export function PolicyDialog({ api, pool, taken = [], onClose, onSaved }: PolicyDialogProps) {
  const [name, setName] = useState('');
  const [leaseSeconds, setLeaseSeconds] = useState(String(pool?.leaseSeconds ?? 60));
  const [expires, setExpires] = useState(pool === undefined || pool.keyTtlSeconds !== null);
  const [keyTtlSeconds, setKeyTtlSeconds] = useState(String(pool?.keyTtlSeconds ?? 300));
  const [limited, setLimited] = useState(pool !== undefined && pool.maxKeys !== null);
  const [maxKeys, setMaxKeys] = useState(String(pool?.maxKeys ?? 100));
  const [paused, setPaused] = useState(pool?.paused ?? false);
  const action = useAction();
  const isTaken = pool === undefined && taken.includes(name.trim());

  const save = async (): Promise<void> => {
    const policy: PutPoolRequest = {
      leaseSeconds: readWholeNumber(leaseSeconds),
      keyTtlSeconds: expires ? readWholeNumber(keyTtlSeconds) : null,
      maxKeys: limited ? readWholeNumber(maxKeys) : null,
      paused,
    };
    let saved: Pool | undefined;
    const done = await action.run(async () => {
      saved = (await api.putPool(pool?.pool ?? name.trim(), policy)).body;
    });
    if (!done || saved === undefined) return;
    announce(pool === undefined ? `Pool ${saved.pool} created` : 'Policy saved');
    onClose();
    onSaved(saved);
  };

  const fields = ['pool', 'leaseSeconds', 'keyTtlSeconds', 'maxKeys'];
  return (
    <Dialog title={pool === undefined ? 'Create a pool' : `Policy of ${pool.pool}`} onClose={onClose}>
      <form
        class="space-y-4"
        onSubmit={(event) => {
          event.preventDefault();
          if (!isTaken) void save();
        }}
      >
        {pool === undefined && (
          <FormField
            label="Name"
            hint="Small letters, digits, full stops, hyphens and underscores"
            error={isTaken ? 'There is a pool of this name already' : issueOf(action.error, 'pool')}
          >
            {(attributes) => (
              <input
                {...attributes}
                class="field"
                required
                maxLength={63}
                autocomplete="off"
                autocapitalize="off"
                spellcheck={false}
                value={name}
                onInput={(event) => setName(event.currentTarget.value)}
              />
            )}
          </FormField>
        )}
        <FormField
          label="Lease, in seconds"
          hint="A key comes back this long after the last keep-alive. Callers may ask for less."
          error={issueOf(action.error, 'leaseSeconds')}
        >
          {(attributes) => (
            <NumberInput
              {...attributes}
              min={1}
              max={86_400}
              value={leaseSeconds}
              onValue={setLeaseSeconds}
            />
          )}
        </FormField>
        <div class="space-y-2">
          <FormField
            label="Life of a key, in seconds"
            hint="Unless it is acquired, kept alive or refreshed, a key is deleted after this time. Longer than the lease."
            error={issueOf(action.error, 'keyTtlSeconds')}
          >
            {(attributes) => (
              <NumberInput
                {...attributes}
                min={1}
                max={315_360_000}
                disabled={!expires}
                value={expires ? keyTtlSeconds : ''}
                onValue={setKeyTtlSeconds}
              />
            )}
          </FormField>
          <Check label="Keys never expire" checked={!expires} onChange={(checked) => setExpires(!checked)} />
        </div>
        <div class="space-y-2">
          <FormField label="Most keys" error={issueOf(action.error, 'maxKeys')}>
            {(attributes) => (
              <NumberInput
                {...attributes}
                min={0}
                max={1_000_000}
                disabled={!limited}
                value={limited ? maxKeys : ''}
                onValue={setMaxKeys}
              />
            )}
          </FormField>
          <Check label="No limit" checked={!limited} onChange={(checked) => setLimited(!checked)} />
        </div>
        <Check label="Paused: no new leases; live ones go on" checked={paused} onChange={setPaused} />
        <ErrorNotice error={withoutFieldIssues(action.error, ...fields)} />
        <DialogButtons>
          <button type="button" class="button button-plain" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="button button-primary" disabled={action.running}>
            {pool === undefined ? 'Create pool' : 'Save policy'}
          </button>
        </DialogButtons>
      </form>
    </Dialog>
  );
}

interface NumberInputProps {
  readonly id: string;
  readonly 'aria-describedby': string | undefined;
  readonly 'aria-invalid': 'true' | undefined;
  readonly min: number;
  readonly max: number;
  readonly value: string;
  readonly disabled?: boolean;
  readonly onValue: (value: string) => void;
}

function NumberInput({ onValue, ...attributes }: NumberInputProps) {
  return (
    <input
      {...attributes}
      type="number"
      step={1}
      required
      class="field tabular-nums disabled:opacity-50"
      onInput={(event) => onValue(event.currentTarget.value)}
    />
  );
}

interface CheckProps {
  readonly label: string;
  readonly checked: boolean;
  readonly onChange: (checked: boolean) => void;
}

function Check({ label, checked, onChange }: CheckProps) {
  return (
    <label class="flex items-center gap-2.5 text-[0.8125rem]">
      <input
        type="checkbox"
        class="check"
        checked={checked}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
      {label}
    </label>
  );
}

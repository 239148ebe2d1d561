import type { PoolPolicy } from '../../../shared/contract/pools.ts';
import { Check, NumberField, readNumber } from '../components/fields.tsx';

interface NumberControl {
  readonly kind: 'number';
  readonly label: string;
  readonly hint?: string;
  readonly min: number;
  /** The value for a new pool. */
  readonly first: number;
}

/** A number, or null. */
interface OptionalControl extends Omit<NumberControl, 'kind'> {
  readonly kind: 'optional';
  /** Says what null means. */
  readonly none: string;
  readonly startsAsNone: boolean;
}

interface SwitchControl {
  readonly kind: 'switch';
  readonly label: string;
  readonly first: boolean;
}

type Control = NumberControl | OptionalControl | SwitchControl;

type ControlOf<Value> = null extends Value
  ? OptionalControl
  : Value extends boolean
    ? SwitchControl
    : NumberControl;

/** The control of each field of a policy, in this order. It does not compile if a field of the contract has none. */
const controls = {
  leaseSeconds: {
    kind: 'number',
    label: 'Lease, in seconds',
    hint: 'A key comes back this long after the last keep-alive. Callers may ask for less.',
    min: 1,
    first: 60,
  },
  keyTtlSeconds: {
    kind: 'optional',
    label: 'Life of a key, in seconds',
    hint: 'Unless it is acquired, kept alive or refreshed, a key is deleted after this time. Longer than the lease.',
    min: 1,
    first: 300,
    none: 'Keys never expire',
    startsAsNone: false,
  },
  maxKeys: { kind: 'optional', label: 'Most keys', min: 0, first: 100, none: 'No limit', startsAsNone: true },
  targetSize: {
    kind: 'optional',
    label: 'Keys that the pool holds by itself',
    hint: 'What is missing is made, what is free beyond it is removed.',
    min: 0,
    first: 10,
    none: 'Keys are made by hand',
    startsAsNone: true,
  },
  maxLeaseSeconds: {
    kind: 'optional',
    label: 'Longest time that a lease is kept alive, in seconds',
    hint: 'However often it is kept alive.',
    min: 1,
    first: 3600,
    none: 'No limit',
    startsAsNone: true,
  },
  cooldownSeconds: {
    kind: 'number',
    label: 'Cooldown, in seconds',
    hint: 'How long a key rests after a lapse, an unblock, or a release that asks for it.',
    min: 0,
    first: 0,
  },
  maxLeasesPerClient: {
    kind: 'optional',
    label: 'Most leases of one client',
    min: 1,
    first: 5,
    none: 'No limit',
    startsAsNone: true,
  },
  fair: { kind: 'switch', label: 'Fair: who waits is served in order', first: false },
  agingSeconds: {
    kind: 'number',
    label: 'Waiting that counts as a step of priority, in seconds',
    hint: 'In a fair pool, so that nobody starves.',
    min: 1,
    first: 60,
  },
  paused: { kind: 'switch', label: 'Paused: no new leases; live ones go on', first: false },
} satisfies { readonly [Field in keyof PoolPolicy]: ControlOf<PoolPolicy[Field]> };

type Field = keyof PoolPolicy;

export const policyFieldNames = Object.keys(controls) as readonly Field[];

/** A policy while it is edited: numbers are texts as typed. */
export type PolicyDraft = Readonly<Record<Field, string | boolean | null>>;

function mapFields<Value>(map: (field: Field, control: Control) => Value): Record<Field, Value> {
  const entries = policyFieldNames.map((field) => [field, map(field, controls[field])]);
  return Object.fromEntries(entries) as Record<Field, Value>;
}

export function newPolicyDraft(): PolicyDraft {
  return mapFields((_, control) => {
    if (control.kind === 'switch') return control.first;
    return control.kind === 'optional' && control.startsAsNone ? null : String(control.first);
  });
}

export function draftOf(policy: PoolPolicy): PolicyDraft {
  return mapFields((field) => {
    const value = policy[field];
    return typeof value === 'number' ? String(value) : value;
  });
}

export function policyOf(draft: PolicyDraft): PoolPolicy {
  const policy = mapFields((field) => {
    const value = draft[field];
    return typeof value === 'string' ? readNumber(value) : value;
  });
  return policy as unknown as PoolPolicy;
}

interface PolicyFieldsProps {
  readonly draft: PolicyDraft;
  readonly onDraft: (draft: PolicyDraft) => void;
}

export function PolicyFields({ draft, onDraft }: PolicyFieldsProps) {
  return policyFieldNames.map((field) => (
    <PolicyField
      key={field}
      field={field}
      value={draft[field]}
      onValue={(value) => onDraft({ ...draft, [field]: value })}
    />
  ));
}

interface PolicyFieldProps {
  readonly field: Field;
  readonly value: string | boolean | null;
  readonly onValue: (value: string | boolean | null) => void;
}

function PolicyField({ field, value, onValue }: PolicyFieldProps) {
  const control: Control = controls[field];
  if (control.kind === 'switch') {
    return <Check label={control.label} checked={value === true} onChange={onValue} />;
  }
  const isNone = value === null;
  const number = (
    <NumberField
      label={control.label}
      name={field}
      hint={control.hint}
      min={control.min}
      required
      disabled={isNone}
      value={isNone ? '' : String(value)}
      onValue={onValue}
    />
  );
  if (control.kind === 'number') return number;
  return (
    <div class="space-y-2">
      {number}
      <Check
        label={control.none}
        checked={isNone}
        onChange={(none) => onValue(none ? null : String(control.first))}
      />
    </div>
  );
}

import type { PoolPolicy } from '../../../shared/contract/pools.ts';
import { Check, NumberField, readNumber } from '../components/fields.tsx';
import { type PolicyControl, type PolicyField, policyControls, policyFieldNames } from './policy-controls.ts';

/** A policy while it is edited: numbers are texts as typed. */
export type PolicyDraft = Readonly<Record<PolicyField, string | boolean | null>>;

function mapFields<Value>(
  map: (field: PolicyField, control: PolicyControl) => Value,
): Record<PolicyField, Value> {
  const entries = policyFieldNames.map((field) => [field, map(field, policyControls[field])]);
  return Object.fromEntries(entries) as Record<PolicyField, Value>;
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
    <FieldControl
      key={field}
      field={field}
      value={draft[field]}
      onValue={(value) => onDraft({ ...draft, [field]: value })}
    />
  ));
}

interface FieldControlProps {
  readonly field: PolicyField;
  readonly value: string | boolean | null;
  readonly onValue: (value: string | boolean | null) => void;
}

function FieldControl({ field, value, onValue }: FieldControlProps) {
  const control: PolicyControl = policyControls[field];
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

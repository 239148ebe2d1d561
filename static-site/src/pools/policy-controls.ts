import type { PoolPolicy } from '../../../shared/contract/pools.ts';
import { formatNumber } from '../text/format-count.ts';
import { formatLength } from '../time/format-duration.ts';

interface NumberControl {
  readonly kind: 'number';
  /** On the pool's page. */
  readonly name: string;
  /** In the form. */
  readonly label: string;
  readonly hint?: string;
  readonly min: number;
  /** The value for a new pool. */
  readonly first: number;
  readonly show: (value: number) => string;
}

/** A number, or null. */
interface OptionalControl extends Omit<NumberControl, 'kind'> {
  readonly kind: 'optional';
  /** What null means: in the form, and on the pool's page. */
  readonly none: string;
  readonly shownAsNone: string;
  readonly startsAsNone: boolean;
}

interface SwitchControl {
  readonly kind: 'switch';
  readonly name: string;
  readonly label: string;
  readonly first: boolean;
}

export type PolicyControl = NumberControl | OptionalControl | SwitchControl;

type ControlOf<Value> = null extends Value
  ? OptionalControl
  : Value extends boolean
    ? SwitchControl
    : NumberControl;

/**
 * Each field of a policy, in this order: its control in the form, and its words on the pool's page. It does not compile
 * if a field of the contract is missing.
 */
export const policyControls = {
  leaseSeconds: {
    kind: 'number',
    name: 'Lease',
    label: 'Lease, in seconds',
    hint: 'A key comes back this long after the last keep-alive. Callers may ask for less.',
    min: 1,
    first: 60,
    show: formatLength,
  },
  maxLeaseSeconds: {
    kind: 'optional',
    name: 'Longest lease',
    label: 'Longest time that a lease is kept alive, in seconds',
    hint: 'However often it is kept alive.',
    min: 1,
    first: 3600,
    none: 'A lease may be kept alive without end',
    shownAsNone: 'no limit',
    startsAsNone: true,
    show: formatLength,
  },
  cooldownSeconds: {
    kind: 'number',
    name: 'Cooldown',
    label: 'Cooldown, in seconds',
    hint: 'How long a key rests after a lapse, an unblock, or a release that asks for it.',
    min: 0,
    first: 0,
    show: (seconds) => (seconds === 0 ? 'none' : formatLength(seconds)),
  },
  keyTtlSeconds: {
    kind: 'optional',
    name: 'Key lifetime',
    label: 'Key lifetime, in seconds',
    hint: 'Unless it is acquired, kept alive or refreshed, a key is deleted after this time. Longer than the lease.',
    min: 1,
    first: 300,
    none: 'Keys never expire',
    shownAsNone: 'never expires',
    startsAsNone: false,
    show: formatLength,
  },
  targetSize: {
    kind: 'optional',
    name: 'Target size',
    label: 'Keys that the pool holds by itself',
    hint: 'What is missing is made, what is free beyond it is removed.',
    min: 0,
    first: 10,
    none: 'Keys are made by hand',
    shownAsNone: 'by hand',
    startsAsNone: true,
    show: formatNumber,
  },
  maxKeys: {
    kind: 'optional',
    name: 'Key limit',
    label: 'Key limit',
    min: 0,
    first: 100,
    none: 'As many keys as are made',
    shownAsNone: 'no limit',
    startsAsNone: true,
    show: formatNumber,
  },
  maxLeasesPerClient: {
    kind: 'optional',
    name: 'Leases per client',
    label: 'Most leases of one client',
    min: 1,
    first: 5,
    none: 'As many leases as a client asks for',
    shownAsNone: 'no limit',
    startsAsNone: true,
    show: formatNumber,
  },
  fair: { kind: 'switch', name: 'Fair', label: 'Fair: who waits is served in order', first: false },
  agingSeconds: {
    kind: 'number',
    name: 'Priority grows every',
    label: 'Waiting that counts as a step of priority, in seconds',
    hint: 'In a fair pool, so that nobody starves.',
    min: 1,
    first: 60,
    show: formatLength,
  },
  paused: { kind: 'switch', name: 'Paused', label: 'Paused: no new leases; live ones go on', first: false },
} as const satisfies { readonly [Field in keyof PoolPolicy]: ControlOf<PoolPolicy[Field]> };

export type PolicyField = keyof PoolPolicy;

export const policyFieldNames = Object.keys(policyControls) as readonly PolicyField[];

/** A field's value in words. */
export function formatPolicyField(policy: PoolPolicy, field: PolicyField): string {
  const control: PolicyControl = policyControls[field];
  const value = policy[field];
  if (control.kind === 'switch') return value === true ? 'yes' : 'no';
  if (typeof value === 'number') return control.show(value);
  return control.kind === 'optional' ? control.shownAsNone : '–';
}

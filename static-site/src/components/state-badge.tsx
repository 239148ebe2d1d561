import type { KeyState } from '../../../shared/contract/keys.ts';

export const TONES = {
  free: 'bg-free-soft text-free',
  leased: 'bg-leased-soft text-leased',
  cooling: 'bg-cooling-soft text-cooling',
  paused: 'bg-sunken text-muted',
  neutral: 'bg-sunken text-muted',
  danger: 'bg-danger-soft text-danger',
} as const;

export type Tone = keyof typeof TONES;

export function Badge({ tone, children }: { tone: Tone; children: string }) {
  return <span class={`badge ${TONES[tone]}`}>{children}</span>;
}

export function StateBadge({ state }: { state: KeyState }) {
  return <Badge tone={state}>{state}</Badge>;
}

import type { ComponentChildren } from 'preact';
import { explainError } from '../api/explain-error.ts';
import { Icon, type IconName } from './icon.tsx';

const TONES = {
  danger: 'border-danger-line bg-danger-soft text-danger',
  warning: 'border-transparent bg-cooling-soft text-cooling',
  info: 'border-transparent bg-accent-soft text-accent',
} as const;

interface NoticeProps {
  readonly tone: keyof typeof TONES;
  readonly icon?: IconName;
  readonly children: ComponentChildren;
}

export function Notice({ tone, icon = 'warning', children }: NoticeProps) {
  return (
    <div class={`flex gap-2.5 rounded-lg border px-3 py-2.5 text-[0.8125rem] ${TONES[tone]}`}>
      <span class="mt-0.5">
        <Icon name={icon} />
      </span>
      <div class="min-w-0 flex-1">{children}</div>
    </div>
  );
}

interface ErrorNoticeProps {
  readonly error: unknown;
  /** `explainOutage` where the page asks again by itself. */
  readonly explain?: (error: unknown) => string;
}

/** An error, read out at once by screen readers. Renders an empty element while there is none. */
export function ErrorNotice({ error, explain = explainError }: ErrorNoticeProps) {
  return (
    <div role="alert">
      {error !== undefined && (
        <div class="mt-4">
          <Notice tone="danger">{explain(error)}</Notice>
        </div>
      )}
    </div>
  );
}

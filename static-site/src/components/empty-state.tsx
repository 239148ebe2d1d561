import type { ComponentChildren } from 'preact';
import { Icon, type IconName } from './icon.tsx';

interface EmptyStateProps {
  readonly icon: IconName;
  readonly title: string;
  readonly children: ComponentChildren;
  readonly action?: ComponentChildren;
}

/** Why there is nothing here, and what to do about it. */
export function EmptyState({ icon, title, children, action }: EmptyStateProps) {
  return (
    <div class="flex flex-col items-center px-6 py-14 text-center">
      <span class="mb-4 flex size-11 items-center justify-center rounded-xl bg-sunken text-muted">
        <Icon name={icon} size={22} />
      </span>
      <h3 class="text-[0.9375rem] font-semibold">{title}</h3>
      <div class="mt-1 max-w-sm text-muted">{children}</div>
      {action !== undefined && <div class="mt-5 flex flex-wrap justify-center gap-2">{action}</div>}
    </div>
  );
}

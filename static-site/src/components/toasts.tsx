import { signal } from '@preact/signals';
import { Icon, type IconName } from './icon.tsx';

const SHOWN_MS = 5000;

interface Toast {
  readonly id: number;
  readonly text: string;
  readonly icon: IconName;
}

const toasts = signal<readonly Toast[]>([]);
let lastId = 0;

/** Shows for a few seconds that something was done, or failed where there is no dialog to say so. */
export function announce(text: string, icon: IconName = 'check'): void {
  lastId += 1;
  const id = lastId;
  toasts.value = [...toasts.value.slice(-2), { id, text, icon }];
  setTimeout(() => {
    toasts.value = toasts.value.filter((toast) => toast.id !== id);
  }, SHOWN_MS);
}

export function Toasts() {
  return (
    <div
      role="status"
      class="pointer-events-none fixed inset-x-0 bottom-0 z-30 flex flex-col items-center gap-2 p-4 pb-[max(1rem,env(safe-area-inset-bottom))]"
    >
      {toasts.value.map(({ id, text, icon }) => (
        <div
          key={id}
          class="appear flex max-w-full items-center gap-2 rounded-full bg-ink px-4 py-2 text-[0.8125rem] font-medium text-canvas shadow-float"
        >
          <Icon name={icon} />
          <span class="truncate">{text}</span>
        </div>
      ))}
    </div>
  );
}

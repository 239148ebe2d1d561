import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef } from 'preact/hooks';
import { Icon } from './icon.tsx';

interface DialogProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
  readonly wide?: boolean;
  /** At the right side of the window, and as high as it. */
  readonly side?: boolean;
  /** False where closing would lose something: then Escape and a click outside do nothing. */
  readonly dismissable?: boolean;
}

const SIDE = 'ml-auto h-dvh max-h-none w-full';
const CENTRED = 'm-auto w-[calc(100%-2rem)] rounded-2xl';

/** A native modal dialog: the browser keeps the focus in it and closes it on Escape. */
export function Dialog({
  title,
  onClose,
  children,
  wide = false,
  side = false,
  dismissable = true,
}: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useLayoutEffect(() => {
    const element = dialog.current;
    const opener = document.activeElement;
    element?.showModal();
    // By itself the browser would focus the cross. The first field is better, or Cancel where there is none.
    element?.querySelector<HTMLElement>('form input:not([type=checkbox]), form button')?.focus();
    return () => {
      element?.close();
      // The opener may be gone, as the row of a key that was deleted. Then the heading gets the focus.
      const target =
        opener?.isConnected && opener !== document.body ? opener : document.querySelector('main h1');
      (target as HTMLElement | null)?.focus();
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      aria-labelledby={titleId}
      class={`bg-surface p-0 text-ink shadow-float ${side ? SIDE : CENTRED} ${wide ? 'max-w-xl' : 'max-w-md'}`}
      onCancel={(event) => {
        event.preventDefault();
        if (dismissable) onClose();
      }}
      onClick={(event) => {
        if (dismissable && event.target === dialog.current) onClose();
      }}
      onKeyDown={(event) => {
        if (event.key === 'Escape' && !dismissable) event.preventDefault();
      }}
    >
      <div class="appear p-5 sm:p-6">
        <div class="mb-4 flex items-start justify-between gap-4">
          <h2 id={titleId} class="text-base font-semibold tracking-tight">
            {title}
          </h2>
          {dismissable && (
            <button
              type="button"
              class="button button-quiet button-icon -mt-1 -mr-2"
              aria-label="Close"
              onClick={onClose}
            >
              <Icon name="close" />
            </button>
          )}
        </div>
        {children}
      </div>
    </dialog>
  );
}

import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';

interface PageHeadingProps {
  readonly title: ComponentChildren;
  /** For the tab's title. */
  readonly name: string;
  readonly children?: ComponentChildren;
  readonly actions?: ComponentChildren;
}

let isFirst = true;

/** The heading of a view. Takes the focus when the view opens, so that a screen reader reads it out. */
export function PageHeading({ title, name, children, actions }: PageHeadingProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  // In the same frame as the view: later, the person may have moved the focus already.
  useLayoutEffect(() => {
    document.title = `${name} · Token Orchestrator`;
    if (!isFirst) heading.current?.focus({ preventScroll: true });
    isFirst = false;
  }, [name]);
  return (
    <div class="mb-6 flex flex-wrap items-end justify-between gap-x-6 gap-y-4">
      <div class="min-w-0">
        <h1
          ref={heading}
          tabIndex={-1}
          class="text-2xl font-semibold tracking-tight break-words outline-none sm:text-[1.75rem] sm:leading-9"
        >
          {title}
        </h1>
        {children !== undefined && <div class="mt-1 max-w-3xl text-pretty text-muted">{children}</div>}
      </div>
      {actions !== undefined && (
        <div class="flex flex-wrap gap-2" data-actions>
          {actions}
        </div>
      )}
    </div>
  );
}

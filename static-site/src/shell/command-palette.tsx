import { useEffect, useId, useState } from 'preact/hooks';
import type { Pool } from '../../../shared/contract/pools.ts';
import type { Api } from '../api/api.ts';
import { explainError } from '../api/explain-error.ts';
import { Dialog } from '../components/dialog.tsx';
import { announce } from '../components/toasts.tsx';
import { navigate, type Route } from '../router.ts';
import { endSessionIfRejected } from '../session/session.ts';

/** The most commands that are shown; typing narrows them down. */
const MOST = 12;
const KEY_ID = /^[A-Za-z0-9_-]{4,64}$/;

interface Command {
  readonly kind: 'Page' | 'Pool' | 'Key' | 'Action';
  readonly name: string;
  readonly run: () => void;
}

interface CommandPaletteProps {
  readonly api: Api;
  readonly pages: readonly { readonly name: string; readonly target: Route }[];
  readonly pools: readonly Pool[] | undefined;
}

/** Goes to a page, a pool or a key, or does what a button of the page does, by its name: Ctrl-K. */
export function CommandPalette(props: CommandPaletteProps) {
  const [isOpen, setOpen] = useState(false);
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.key.toLowerCase() !== 'k' || !(event.ctrlKey || event.metaKey) || event.altKey) return;
      event.preventDefault();
      if (document.querySelector('dialog[open]') === null) setOpen(true);
    };
    const onAsked = (): void => setOpen(true);
    document.addEventListener('keydown', onKey);
    document.addEventListener('open-palette', onAsked);
    return () => {
      document.removeEventListener('keydown', onKey);
      document.removeEventListener('open-palette', onAsked);
    };
  }, []);
  return isOpen ? <Palette {...props} onClose={() => setOpen(false)} /> : null;
}

function Palette({ api, pages, pools, onClose }: CommandPaletteProps & { readonly onClose: () => void }) {
  const listId = useId();
  const [text, setText] = useState('');
  const [active, setActive] = useState(0);
  // As they are when it opens: those of the page below.
  const [actions] = useState(actionsOfPage);
  const words = text.trim().toLowerCase().split(/\s+/);
  const goTo = (target: Route) => () => navigate(target);
  const openKey = (keyId: string) => () =>
    void api.getKey(keyId).then(
      ({ body }) => navigate({ view: 'pool', pool: body.pool, key: keyId }),
      (error) => {
        endSessionIfRejected(error);
        announce(explainError(error), 'warning');
      },
    );
  const all: readonly Command[] = [
    ...pages.map(({ name, target }): Command => ({ kind: 'Page', name, run: goTo(target) })),
    ...(pools ?? []).map(
      ({ pool }): Command => ({ kind: 'Pool', name: pool, run: goTo({ view: 'pool', pool }) }),
    ),
    ...actions,
  ];
  const has = (name: string): boolean => words.every((word) => name.toLowerCase().includes(word));
  // "pool" lists all pools, but after what has it in its name.
  const matching = [
    ...all.filter(({ name }) => has(name)),
    ...all.filter(({ kind, name }) => !has(name) && has(`${kind} ${name}`)),
  ];
  const keyId = text.trim();
  const found: readonly Command[] =
    pools !== undefined && KEY_ID.test(keyId)
      ? [...matching.slice(0, MOST - 1), { kind: 'Key', name: keyId, run: openKey(keyId) }]
      : matching.slice(0, MOST);
  const chosen = Math.min(active, found.length - 1);

  const run = (command: Command | undefined): void => {
    if (command === undefined) return;
    onClose();
    // Once the dialog is gone, and the focus is back.
    setTimeout(command.run);
  };
  const move = (event: KeyboardEvent): void => {
    const steps: Readonly<Record<string, number>> = { ArrowDown: 1, ArrowUp: -1 };
    const step = steps[event.key];
    if (step === undefined || found.length === 0) return;
    event.preventDefault();
    setActive((chosen + step + found.length) % found.length);
  };
  return (
    <Dialog title="Go to, or do" onClose={onClose} wide>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          run(found[chosen]);
        }}
      >
        <input
          class="field"
          role="combobox"
          aria-label="Page, pool, key id or action"
          aria-expanded="true"
          aria-autocomplete="list"
          aria-controls={listId}
          aria-activedescendant={found.length > 0 ? `${listId}-${chosen}` : undefined}
          placeholder="Page, pool, key id or action…"
          autocomplete="off"
          spellcheck={false}
          value={text}
          onInput={(event) => {
            setText(event.currentTarget.value);
            setActive(0);
          }}
          onKeyDown={move}
        />
      </form>
      <div id={listId} role="listbox" aria-label="Commands" class="mt-3 min-h-56">
        {found.map((command, index) => (
          <div
            key={`${command.kind} ${command.name}`}
            id={`${listId}-${index}`}
            role="option"
            tabIndex={-1}
            aria-selected={index === chosen}
            class="flex cursor-pointer items-center justify-between gap-4 rounded-lg px-3 py-1.5 hover:bg-sunken aria-selected:bg-accent-soft aria-selected:text-accent"
            onMouseDown={(event) => {
              event.preventDefault();
              run(command);
            }}
          >
            <span class="truncate">{command.name}</span>
            <span class="text-xs text-muted">{command.kind}</span>
          </div>
        ))}
      </div>
      <p role="status" class="text-xs text-muted">
        {found.length === 0
          ? 'Nothing has this name.'
          : matching.length > MOST
            ? `The first ${MOST} of ${matching.length}`
            : '↑ and ↓ choose, Enter goes'}
      </p>
    </Dialog>
  );
}

/** The buttons of the page's heading, and those of the header: what they do is done by pressing them. */
function actionsOfPage(): readonly Command[] {
  const buttons = document.querySelectorAll<HTMLButtonElement>('[data-actions] button:not(:disabled)');
  return Array.from(buttons, (button) => ({
    kind: 'Action',
    name: button.getAttribute('aria-label') ?? button.textContent.trim(),
    run: () => button.click(),
  }));
}

/** Opens it by touch or mouse, and says that it is there. */
export function openPalette(): void {
  document.dispatchEvent(new Event('open-palette'));
}

import { effect, signal } from '@preact/signals';
import { applyTheme, readStoredTheme, storeTheme, type Theme } from './stored-theme.ts';

export const theme = signal<Theme>(readStoredTheme());

/** Grows whenever the colours change, for what is drawn on a canvas. */
export const paletteVersion = signal(0);

effect(() => {
  applyTheme(theme.value);
  storeTheme(theme.value);
  paletteVersion.value = paletteVersion.peek() + 1;
});

/** A colour of the style sheet, as a canvas understands it. */
export function readColour(name: string): string {
  const probe = document.createElement('span');
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  paletteVersion.value += 1;
});

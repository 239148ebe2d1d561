import { effect, signal } from '@preact/signals';
import { applyTheme, readStoredTheme, storeTheme, type Theme } from './stored-theme.ts';

export const theme = signal<Theme>(readStoredTheme());

/** Grows whenever the colours change, for what is painted by script. */
export const paletteVersion = signal(0);

effect(() => {
  applyTheme(theme.value);
  storeTheme(theme.value);
  paletteVersion.value = paletteVersion.peek() + 1;
});

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  paletteVersion.value += 1;
});

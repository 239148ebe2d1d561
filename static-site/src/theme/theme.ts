import { effect, signal } from '@preact/signals';
import { applyTheme, readStoredTheme, storeTheme, type Theme } from './stored-theme.ts';

export const theme = signal<Theme>(readStoredTheme());

effect(() => {
  applyTheme(theme.value);
  storeTheme(theme.value);
});

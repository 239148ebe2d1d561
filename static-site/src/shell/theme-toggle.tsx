import { Icon, type IconName } from '../components/icon.tsx';
import type { Theme } from '../theme/stored-theme.ts';
import { theme } from '../theme/theme.ts';

const NEXT: Readonly<Record<Theme, Theme>> = { system: 'light', light: 'dark', dark: 'system' };
const ICONS: Readonly<Record<Theme, IconName>> = { system: 'screen', light: 'sun', dark: 'moon' };
const NAMES: Readonly<Record<Theme, string>> = { system: 'as the system', light: 'light', dark: 'dark' };

export function ThemeToggle() {
  const current = theme.value;
  return (
    <button
      type="button"
      class="button button-quiet button-icon"
      aria-label={`Theme: ${NAMES[current]}. Change to ${NAMES[NEXT[current]]}`}
      title={`Theme: ${NAMES[current]}`}
      onClick={() => {
        theme.value = NEXT[current];
      }}
    >
      <Icon name={ICONS[current]} />
    </button>
  );
}

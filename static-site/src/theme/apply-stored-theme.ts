// Runs before the first paint, so that a chosen theme does not flash in the system's.
import { applyTheme, readStoredTheme } from './stored-theme.ts';

applyTheme(readStoredTheme());

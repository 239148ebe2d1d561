import { applyTheme, readStoredTheme } from '../theme/stored-theme.ts';

interface SwaggerSystem {
  readonly React: { createElement(type: string, attributes: null, text: string): unknown };
}

/** The part of Swagger UI that is used; swagger-ui-bundle.js defines it. */
declare const SwaggerUIBundle: (options: {
  url: string;
  dom_id: string;
  deepLinking: boolean;
  validatorUrl: null;
  persistAuthorization: boolean;
  plugins: ((system: SwaggerSystem) => object)[];
}) => void;

/** Swagger UI shows a path as a link inside a button, which no keyboard and no screen reader can use. */
function plainPaths({ React }: SwaggerSystem): object {
  return {
    components: { DeepLink: ({ text }: { text: string }) => React.createElement('span', null, text) },
  };
}

/** Swagger UI gives its choices no name, and lets no keyboard scroll its examples. */
function mendControls(root: HTMLElement): void {
  for (const select of root.querySelectorAll('select:not([aria-label])')) {
    select.setAttribute('aria-label', select.id === 'servers' ? 'Server' : 'Example');
  }
  for (const example of root.querySelectorAll<HTMLElement>('pre.example:not([tabindex])')) {
    example.tabIndex = 0;
  }
}

const systemTheme = matchMedia('(prefers-color-scheme: dark)');

/** Applies the theme that was chosen in the dashboard. Swagger UI has a class for it. */
function showTheme(): void {
  const theme = readStoredTheme();
  applyTheme(theme);
  const isDark = theme === 'dark' || (theme === 'system' && systemTheme.matches);
  document.documentElement.classList.toggle('dark-mode', isDark);
}

// Before the first paint; all else waits for the document.
showTheme();
systemTheme.addEventListener('change', showTheme);
addEventListener('storage', showTheme);

document.addEventListener('DOMContentLoaded', () => {
  const root = document.getElementById('api') as HTMLElement;
  new MutationObserver(() => mendControls(root)).observe(root, { childList: true, subtree: true });
  SwaggerUIBundle({
    url: '/docs/openapi.json',
    dom_id: '#api',
    deepLinking: true,
    // The default sends the document to a validator of Swagger's.
    validatorUrl: null,
    persistAuthorization: false,
    plugins: [plainPaths],
  });
});

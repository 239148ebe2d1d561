import { execFile } from 'node:child_process';
import {
  copyFile,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';

/**
 * Builds the dashboard into `static-site/dist`: `npm run build:site`. With `--if-changed`, which `npm start` uses, only
 * when a source is newer than the last build.
 */
const SITE = fileURLToPath(new URL('./', import.meta.url));
const ROOT = join(SITE, '..');
const SOURCE = join(SITE, 'src');
const PUBLIC = join(SITE, 'public');
const DIST = join(SITE, 'dist');
const INDEX = join(DIST, 'index.html');
const API_PAGE = join(SOURCE, 'api-page');

async function buildSite(): Promise<void> {
  const scratch = await mkdtemp(join(tmpdir(), 'token-orchestrator-site-'));
  try {
    const styles = join(scratch, 'styles.css');
    await runTailwind(join(SOURCE, 'styles/main.css'), styles);
    const { metafile } = await build({
      entryPoints: [
        { out: 'app', in: join(SOURCE, 'main.tsx') },
        { out: 'theme', in: join(SOURCE, 'theme/apply-stored-theme.ts') },
        { out: 'styles', in: styles },
        { out: 'api-page', in: join(API_PAGE, 'show-api.ts') },
        { out: 'api-page', in: join(API_PAGE, 'api-page.css') },
      ],
      outdir: join(scratch, 'dist'),
      entryNames: '[name]-[hash]',
      assetNames: '[name]-[hash]',
      bundle: true,
      minify: true,
      metafile: true,
      format: 'esm',
      target: ['chrome123', 'firefox121', 'safari17.5'],
      jsx: 'automatic',
      jsxImportSource: 'preact',
      loader: { '.woff2': 'file' },
      nodePaths: [join(ROOT, 'node_modules')],
      legalComments: 'none',
      logLevel: 'warning',
      absWorkingDir: ROOT,
    });
    const outputs = Object.keys(metafile.outputs).map((path) => basename(path));
    await cp(PUBLIC, join(scratch, 'dist'), { recursive: true });
    await writeFile(join(scratch, 'dist/index.html'), await renderPage(join(SOURCE, 'index.html'), outputs));
    await mkdir(join(scratch, 'dist/docs'));
    await writeFile(
      join(scratch, 'dist/docs/index.html'),
      await renderPage(join(API_PAGE, 'index.html'), outputs),
    );
    await copyFile(
      join(ROOT, 'node_modules/@fontsource-variable/inter/LICENSE'),
      join(scratch, 'dist/inter-license.txt'),
    );
    await copyFile(
      join(ROOT, 'node_modules/@fontsource-variable/jetbrains-mono/LICENSE'),
      join(scratch, 'dist/jetbrains-mono-license.txt'),
    );
    await addSwaggerUi(join(scratch, 'dist/docs'));
    await replaceDist(join(scratch, 'dist'));
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** The API document, and Swagger UI to show it, both from this origin. */
async function addSwaggerUi(folder: string): Promise<void> {
  await copyFile(join(ROOT, 'docs/openapi.json'), join(folder, 'openapi.json'));
  for (const name of ['swagger-ui.css', 'swagger-ui-bundle.js', 'LICENSE', 'NOTICE']) {
    await copyFile(join(ROOT, 'node_modules/swagger-ui-dist', name), join(folder, name));
  }
}

/** Writes the style sheet, with the Tailwind classes that the sources use. */
async function runTailwind(input: string, output: string): Promise<void> {
  const cli = join(ROOT, 'node_modules/@tailwindcss/cli/dist/index.mjs');
  await promisify(execFile)(process.execPath, [cli, '--input', input, '--output', output], { cwd: SOURCE });
}

/** A page with the hashed names in place of `{app.js}`, `{theme.js}`, `{styles.css}` and the like. */
async function renderPage(path: string, outputs: readonly string[]): Promise<string> {
  const template = await readFile(path, 'utf8');
  return template.replaceAll(/\{([\w-]+)\.(\w+)\}/g, (_, name: string, extension: string) => {
    const hashed = outputs.find(
      (output) => output.startsWith(`${name}-`) && output.endsWith(`.${extension}`),
    );
    if (hashed === undefined) throw new Error(`The build has no ${name}.${extension}`);
    return hashed;
  });
}

/** Keeps the old files until index.html names the new ones, so that a running server always has both. */
async function replaceDist(built: string): Promise<void> {
  await mkdir(DIST, { recursive: true });
  const old = await readdir(DIST);
  const fresh = await readdir(built);
  for (const name of fresh)
    if (name !== 'index.html') await cp(join(built, name), join(DIST, name), { recursive: true });
  await cp(join(built, 'index.html'), `${INDEX}.new`);
  await rename(`${INDEX}.new`, INDEX);
  for (const name of old)
    if (!fresh.includes(name)) await rm(join(DIST, name), { recursive: true, force: true });
}

async function isUpToDate(): Promise<boolean> {
  const built = await changedAt(INDEX);
  const lock = await changedAt(join(ROOT, 'package-lock.json'));
  const script = await changedAt(fileURLToPath(import.meta.url));
  const sources = await Promise.all([SOURCE, PUBLIC, join(ROOT, 'docs')].map(newestIn));
  return built > Math.max(lock, script, ...sources);
}

async function newestIn(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true });
  const times = await Promise.all(['', ...entries].map((entry) => changedAt(join(folder, entry))));
  return Math.max(...times);
}

async function changedAt(path: string): Promise<number> {
  const stats = await stat(path).catch(() => undefined);
  return stats?.mtimeMs ?? 0;
}

if (!process.argv.includes('--if-changed') || !(await isUpToDate())) await buildSite();

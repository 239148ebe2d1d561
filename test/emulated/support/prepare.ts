import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** Whether an emulated AWS can be made here. */
    hasPython: boolean;
  }
}

const run = promisify(execFile);
const RUNTIME = fileURLToPath(new URL('../runtime', import.meta.url));

/** Lambda's runtime interface client, once per clone; and is there a Python that can make environments? */
export async function setup(project: TestProject): Promise<void> {
  if (!existsSync(`${RUNTIME}/node_modules/aws-lambda-ric`)) await run('npm', ['ci'], { cwd: RUNTIME });
  const hasPython = await run('python3', ['-c', 'import venv, ensurepip']).then(
    () => true,
    () => false,
  );
  if (!hasPython) {
    const why = 'no python3 with venv here (Debian: python3-venv)';
    if (process.env.CI) throw new Error(`CI must not skip the emulated deployment, but there is ${why}`);
    process.stdout.write(`The emulated deployment is skipped: ${why}.\n`);
  }
  project.provide('hasPython', hasPython);
}

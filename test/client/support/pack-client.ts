import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { buildPackage } from '../../../client/build/build-package.ts';

const execute = promisify(execFile);
const CLIENT = fileURLToPath(new URL('../../../client/', import.meta.url));

/**
 * Makes `folder` a project in which the client is installed: `npm pack` of a fresh build, unpacked where npm would put
 * it. Beside it lies the tarball.
 * @returns the tarball
 */
export async function packClient(folder: string): Promise<string> {
  const source = join(folder, 'source');
  await mkdir(source, { recursive: true });
  for (const file of ['package.json', 'README.md', 'LICENSE']) {
    await copyFile(join(CLIENT, file), join(source, file));
  }
  await buildPackage(join(source, 'dist'));
  const { stdout } = await execute(
    'npm',
    ['pack', '--json', '--ignore-scripts', '--pack-destination', folder],
    { cwd: source },
  );
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
  const tarball = join(folder, filename);

  await writeFile(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
  const installed = join(folder, 'node_modules/token-orchestrator');
  await mkdir(installed, { recursive: true });
  await execute('tar', ['-xzf', tarball, '--strip-components=1', '-C', installed]);
  const commands = join(folder, 'node_modules/.bin');
  await mkdir(commands, { recursive: true });
  await chmod(join(installed, 'dist/cli.js'), 0o755);
  await symlink('../token-orchestrator/dist/cli.js', join(commands, 'token-orchestrator'));
  return tarball;
}

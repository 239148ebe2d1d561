import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { useHost } from '../../support/host-process.ts';
import { makePool } from '../support/make-pool.ts';
import { endCliAfterEach, startCli } from '../support/run-cli.ts';

const host = useHost();
endCliAfterEach();

const RUNS = 30;
const KEYS = 4;
/** As many start at a time: so many processes on two cores would only wait for each other. */
const AT_ONCE = 12;

/** `set -C` makes `>` fail where the file is there (O_EXCL): a second holder of the same key is seen. */
const GUARDED = `
  set -C
  cd "$FOLDER"
  echo $$ > "$TOKEN_ORCHESTRATOR_KEY.lock" || { echo "$TOKEN_ORCHESTRATOR_KEY" >> overlaps; exit 99; }
  sleep 0.05
  rm "$TOKEN_ORCHESTRATOR_KEY.lock"
  set +C
  echo "$TOKEN_ORCHESTRATOR_KEY $TOKEN_ORCHESTRATOR_FENCING_TOKEN" >> done
`;

test('30 runs that share 4 keys never hold the same one together', { timeout: 180_000 }, async () => {
  const pool = await makePool(host.client(), { keys: KEYS });
  const folder = join(host.folder, 'guarded');
  await mkdir(folder);
  const waiting = Array.from({ length: RUNS }, (_, index) => index);
  const results: (number | null)[] = [];
  const startSome = async (): Promise<void> => {
    while (waiting.pop() !== undefined) {
      const env = { ...host.environment, FOLDER: folder };
      const child = startCli(['run', '--pool', pool, '--wait', '150s', '--', 'sh', '-c', GUARDED], env);
      results.push((await child.result).code);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, startSome));

  expect(results).toEqual(Array(RUNS).fill(0));
  expect(await readdir(folder)).toEqual(['done']);
  const turns = (await readFile(join(folder, 'done'), 'utf8')).trim().split('\n');
  expect(turns).toHaveLength(RUNS);
  expect(new Set(turns.map((line) => line.split(' ')[0])).size).toBe(KEYS);
  expect(new Set(turns).size).toBe(RUNS);
  expect((await host.client().keys.list({ pool, state: 'free' })).keys).toHaveLength(KEYS);
});

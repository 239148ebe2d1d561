/**
 * `npm run test:mongodb`: the whole suite with MongoDB, downloading a mongod into the cache of mongodb-memory-server
 * when this machine has none. Arguments go on to vitest.
 */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { MongoBinary } from 'mongodb-memory-server';
import { findMongod } from './find-mongod.ts';

if (!process.env.MONGODB_TEST_URI && (await findMongod()) === undefined) {
  console.log('No mongod on this machine: downloading one');
  try {
    console.log(`Downloaded ${await MongoBinary.getPath()}`);
  } catch (error) {
    console.error('Could not download a mongod; set MONGODB_TEST_URI to a MongoDB of your own instead.');
    throw error;
  }
}

const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');
const run = spawnSync(process.execPath, [vitest, 'run', ...process.argv.slice(2)], { stdio: 'inherit' });
process.exitCode = run.status ?? 1;

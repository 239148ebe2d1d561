import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BUNDLE_OPTIONS } from '../../../infra/bundle/bundle-functions.ts';

type Driver = Pick<typeof import('mongodb'), 'MongoClient'>;

let folder: string;
let bundled: Driver;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'driver-packages-'));
  const outfile = join(folder, 'driver.mjs');
  await build({
    ...BUNDLE_OPTIONS,
    stdin: { contents: "export { MongoClient } from 'mongodb';", resolveDir: import.meta.dirname },
    outfile,
  });
  bundled = (await import(/* @vite-ignore */ pathToFileURL(outfile).href)) as Driver;
}, 120_000);

afterAll(async () => {
  await rm(folder, { recursive: true });
});

/** What a driver makes of a connection string: every option, or the error. */
function parse(driver: Driver, uri: string): unknown {
  try {
    const { options } = new driver.MongoClient(uri);
    const {
      hosts,
      srvHost,
      credentials,
      dbName,
      replicaSet,
      tls,
      readPreference,
      writeConcern,
      appName,
      compressors,
    } = options;
    const { loadBalanced, directConnection, retryWrites, maxPoolSize, serverSelectionTimeoutMS } = options;
    return JSON.parse(
      JSON.stringify({
        hosts: hosts.map(String),
        ...{
          srvHost,
          credentials,
          dbName,
          replicaSet,
          tls,
          readPreference,
          writeConcern,
          appName,
          compressors,
        },
        ...{ loadBalanced, directConnection, retryWrites, maxPoolSize, serverSelectionTimeoutMS },
      }),
    );
  } catch (error) {
    return { error: (error as Error).message };
  }
}

describe('the bundled driver, which parses with Node’s own URL', () => {
  it.each([
    'mongodb://localhost',
    'mongodb://127.0.0.1:27018/orchestrator',
    'mongodb://a.example:27017,b.example:27018,c.example/keys?replicaSet=rs0&tls=true&w=majority',
    'mongodb://[::1]:27017,[2001:db8::1]/keys',
    'mongodb://%2Ftmp%2Fmongodb-27017.sock/keys',
    'mongodb://user:p%40ss%3Aw%2Frd@a.example/keys?authSource=admin',
    'mongodb://us%C3%A9r:p%25%20s@a.example/?authMechanism=SCRAM-SHA-256',
    'mongodb://a.example/?authMechanism=MONGODB-AWS&authSource=%24external',
    'mongodb+srv://cluster0.abc12.mongodb.net',
    'mongodb+srv://cluster0.abc12.mongodb.net/keys?retryWrites=true&w=majority&appName=Cluster0',
    'mongodb+srv://user:secret@cluster0-pl-0.abc12.mongodb.net/keys?authMechanism=SCRAM-SHA-1',
    'mongodb+srv://cluster0.abc12.mongodb.net/?authMechanism=MONGODB-AWS&authSource=%24external&maxPoolSize=2',
    'mongodb://a.example/?readPreference=secondary&readPreferenceTags=dc:ny,rack:1&readPreferenceTags=',
    'mongodb://a.example/?MAXPOOLSIZE=7&compressors=zlib&serverSelectionTimeoutMS=5000',
    'mongodb://A.Example.COM/Keys',
    'mongodb://a.example?tls=true',
    'mongodb://a.example/?authMechanismProperties=SERVICE_NAME:a,CANONICALIZE_HOST_NAME:true&authMechanism=PLAIN&authSource=$external',
    'mongodb://user@a.example:port',
    'mongodb://a.example:99999',
    'mongodb+srv://a.example.net:27017',
    'mongodb+srv://a.example.net,b.example.net',
    'mongodb://us:er:secret@a.example',
    'mongodb://',
    'http://a.example',
    'mongodb://a.example/?unknownOption=1',
  ])('makes of %s what the driver itself makes of it', (uri) => {
    expect(parse(bundled, uri)).toEqual(parse({ MongoClient }, uri));
  });
});

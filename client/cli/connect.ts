import { open } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { createClient, type OrchestratorClient } from '../sdk/create-client.ts';
import { CliError, exitCodes } from './cli-error.ts';

const GROUP_AND_OTHERS = 0o077;

/** The options that every command has. */
export interface ConnectionOptions {
  readonly url?: string;
  readonly credential?: string;
  readonly credentialFile?: string;
  readonly config?: string;
}

interface ConfigFile {
  readonly url?: string;
  readonly credential?: string;
}

export function addConnectionOptions(command: Command): Command {
  return command
    .option('--url <url>', 'where the service is (or TOKEN_ORCHESTRATOR_URL, or the config file)')
    .option('--credential-file <file>', 'a file that only you can read, with the credential in it')
    .option(
      '--credential <credential>',
      'the credential; every user of this machine sees it in the list of processes: prefer the others',
    )
    .option('--config <file>', 'the config file, JSON with "url" and "credential", that only you can read');
}

/**
 * Flags come before the environment, the environment before the config file. Requests belong to the trace of `TRACEPARENT`,
 * where a caller that traces has set it.
 * @throws CliError
 */
export async function connect(
  options: ConnectionOptions,
  env: NodeJS.ProcessEnv = process.env,
): Promise<OrchestratorClient> {
  const given = {
    url: options.url ?? (env.TOKEN_ORCHESTRATOR_URL || undefined),
    credential: (await givenCredential(options)) ?? (env.TOKEN_ORCHESTRATOR_CREDENTIAL || undefined),
  };
  const needsConfig =
    given.url === undefined || given.credential === undefined || options.config !== undefined;
  const config = needsConfig ? await readConfigFile(options.config, env) : {};
  const url = given.url ?? config.url;
  const credential = given.credential ?? config.credential;
  if (url === undefined) throw missing('address', 'url', 'TOKEN_ORCHESTRATOR_URL', env);
  if (credential === undefined) {
    throw missing('credential', 'credential-file', 'TOKEN_ORCHESTRATOR_CREDENTIAL', env);
  }
  try {
    return createClient({ url, credential, traceparent: env.TRACEPARENT });
  } catch (error) {
    throw new CliError((error as Error).message, exitCodes.configuration, { cause: error });
  }
}

async function givenCredential({
  credential,
  credentialFile,
}: ConnectionOptions): Promise<string | undefined> {
  if (credential !== undefined) return credential;
  if (credentialFile === undefined) return undefined;
  const text = await readPrivateFile(credentialFile);
  if (text === undefined) throw new CliError(`There is no file ${credentialFile}`, exitCodes.configuration);
  return text.trim();
}

function configPath(env: NodeJS.ProcessEnv): string {
  return join(env.XDG_CONFIG_HOME || join(homedir(), '.config'), 'token-orchestrator', 'config.json');
}

async function readConfigFile(path: string | undefined, env: NodeJS.ProcessEnv): Promise<ConfigFile> {
  const file = path ?? configPath(env);
  const text = await readPrivateFile(file);
  if (text === undefined) {
    if (path !== undefined) throw new CliError(`There is no file ${path}`, exitCodes.configuration);
    return {};
  }
  const config = parseConfig(text);
  if (config === undefined) {
    throw new CliError(
      `${file} must be JSON of the form {"url": "https://...", "credential": "..."}`,
      exitCodes.configuration,
    );
  }
  return config;
}

/** Undefined when the text is something else; it may hold a secret and is never shown. */
function parseConfig(text: string): ConfigFile | undefined {
  try {
    const config: unknown = JSON.parse(text);
    if (typeof config !== 'object' || config === null || Array.isArray(config)) return undefined;
    const entries = Object.entries(config);
    const isKnown = ([name, value]: [string, unknown]): boolean =>
      ['url', 'credential'].includes(name) && typeof value === 'string';
    return entries.every(isKnown) ? (config as ConfigFile) : undefined;
  } catch {
    return undefined;
  }
}

function missing(what: string, flag: string, variable: string, env: NodeJS.ProcessEnv): CliError {
  return new CliError(
    `The ${what} of the service is missing: give --${flag}, set ${variable}, or write it into ${configPath(env)}`,
    exitCodes.configuration,
  );
}

/**
 * A file that may hold a credential; undefined when there is none.
 * @throws CliError when anybody but its owner may read or write it
 */
async function readPrivateFile(path: string): Promise<string | undefined> {
  const file = await open(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw new CliError(`${path} cannot be read: ${error.message}`, exitCodes.configuration, { cause: error });
  });
  if (file === undefined) return undefined;
  try {
    // The open file is checked, so that it cannot be exchanged before it is read. Windows has no such bits.
    const { mode } = await file.stat();
    if (process.platform !== 'win32' && (mode & GROUP_AND_OTHERS) !== 0) {
      throw new CliError(`${path} can be read by others: run chmod 600 on it`, exitCodes.configuration);
    }
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

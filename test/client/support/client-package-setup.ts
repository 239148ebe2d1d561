import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { packClient } from './pack-client.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** A folder in which the packed client is installed, as in somebody's project. */
    clientProject: string;
  }
}

let folder = '';

/** Builds, packs and installs the client once for all tests that run it as its users do. */
export async function setup(project: TestProject): Promise<void> {
  folder = await mkdtemp(join(tmpdir(), 'token-orchestrator-client-'));
  await packClient(folder);
  project.provide('clientProject', folder);
}

export async function teardown(): Promise<void> {
  await rm(folder, { recursive: true, force: true });
}

import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { type ContractModule, exportedTypes, printContractTypes } from './contract-types.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const TSC = join(ROOT, 'node_modules/typescript/bin/tsc');
const CONTRACT = join(ROOT, 'shared/contract');
const CONTRACT_IMPORT = /(['"])\.\.\/\.\.\/shared\/contract\/[\w-]+\.ts\1/g;
const OWN_IMPORT = /(['"])(\.\/[\w-]+)\.ts\1/g;

/** Writes the SDK's `.d.ts` files, which import nothing but each other. */
export async function writeDeclarations(target: string): Promise<void> {
  const scratch = join(target, 'scratch');
  await emitDeclarations(scratch);
  const modules = await readContract(join(scratch, 'shared/contract'));
  await writeFile(join(target, 'contract.d.ts'), printContractTypes(modules));
  await compareTypes(modules, scratch, target);

  const emitted = join(scratch, 'client/sdk');
  for (const file of await readdir(emitted)) {
    const text = await readFile(join(emitted, file), 'utf8');
    const rewritten = text.replace(CONTRACT_IMPORT, "'./contract.js'").replace(OWN_IMPORT, "'$2.js'");
    if (/from ['"](?!\.\/)/.test(rewritten)) throw new Error(`${file} imports something from outside`);
    await writeFile(join(target, file), rewritten);
  }
  await rm(scratch, { recursive: true });
}

async function emitDeclarations(scratch: string): Promise<void> {
  await mkdir(scratch, { recursive: true });
  await runTsc(scratch, {
    compilerOptions: {
      noEmit: false,
      declaration: true,
      emitDeclarationOnly: true,
      rootDir: ROOT,
      outDir: scratch,
    },
    files: [join(ROOT, 'client/sdk/index.ts')],
  });
}

async function readContract(declarations: string): Promise<ContractModule[]> {
  const files = await readdir(declarations);
  return Promise.all(
    files.sort().map(async (file) => {
      const name = file.replace('.d.ts', '.ts');
      return {
        name,
        declarations: await readFile(join(declarations, file), 'utf8'),
        exports: (await import(pathToFileURL(join(CONTRACT, name)).href)) as Record<string, unknown>,
      };
    }),
  );
}

/** Has tsc find that each written type is the inferred one, no narrower and no wider. */
async function compareTypes(
  modules: readonly ContractModule[],
  scratch: string,
  target: string,
): Promise<void> {
  const lines = modules.flatMap((module, index) => {
    const names = exportedTypes(module).map(({ name }) => name);
    if (names.length === 0) return [];
    return [
      `import type * as inferred${index} from ${JSON.stringify(join(CONTRACT, module.name))};`,
      ...names.map((name) => `same<inferred${index}.${name}, written.${name}>(true);`),
    ];
  });
  const check = join(scratch, 'compare-types.ts');
  await writeFile(
    check,
    [
      `import type * as written from ${JSON.stringify(join(target, 'contract.js'))};`,
      'type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;',
      'declare function same<A, B>(isSame: Same<Plain<A>, Plain<B>>): void;',
      // Inferred and written types are spelled differently (intersections, aliases): compare them member by member.
      'type Plain<T> = T extends object ? { [Name in keyof T]: Plain<T[Name]> } : T;',
      ...lines,
    ].join('\n'),
  );
  await runTsc(scratch, { files: [check] });
}

async function runTsc(
  scratch: string,
  config: { files: string[]; compilerOptions?: Record<string, unknown> },
): Promise<void> {
  const file = join(scratch, 'tsconfig.json');
  const compilerOptions = { ...config.compilerOptions, typeRoots: [join(ROOT, 'node_modules/@types')] };
  await writeFile(
    file,
    JSON.stringify({
      ...config,
      extends: join(ROOT, 'tsconfig.json'),
      compilerOptions,
      include: [],
      exclude: [],
    }),
  );
  try {
    await promisify(execFile)(process.execPath, [TSC, '-p', file], { cwd: dirname(file) });
  } catch (error) {
    throw new Error(`tsc:\n${(error as { stdout?: string }).stdout}`, { cause: error });
  }
}

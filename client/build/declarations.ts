import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, parse, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import * as z from 'zod';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const TSC = join(ROOT, 'node_modules/typescript/bin/tsc');
const CONTRACT = join(ROOT, 'shared/contract');
const CONTRACT_IMPORT = /(['"])\.\.\/\.\.\/shared\/contract\/[\w-]+\.ts\1/g;
const SDK = join(ROOT, 'client/sdk');
const OWN_IMPORT = /(['"])(\.\/[\w-]+)\.ts\1/g;

/** tsc leaves an alias of zod's as it is, but writes the type of such a value out, member by member. */
const PLAIN = `
type Plain<T> = T extends string | number | boolean | null | undefined ? T
  : T extends (infer Item)[] ? Plain<Item>[]
  : T extends infer Members ? { [Name in keyof Members]: Plain<Members[Name]> } : never;
declare function plain<T>(): Plain<T>;
`;

/** Writes the SDK's `.d.ts` files, which import nothing but each other: whoever installs the package needs no zod. */
export async function writeDeclarations(target: string): Promise<void> {
  const scratch = join(target, 'scratch');
  await mkdir(scratch, { recursive: true });
  const contract = await readContract();
  await writeFile(join(scratch, 'contract.ts'), sourceOf(contract));
  const emitted = await emitDeclarations(scratch, [join(scratch, 'contract.ts'), join(SDK, 'index.ts')]);

  const types = await readFile(join(emitted(scratch), 'contract.d.ts'), 'utf8');
  await writeFile(join(target, 'contract.d.ts'), withComments(types, contract));
  for (const file of await readdir(emitted(SDK))) {
    const text = await readFile(join(emitted(SDK), file), 'utf8');
    const rewritten = text.replace(CONTRACT_IMPORT, "'./contract.js'").replace(OWN_IMPORT, "'$2.js'");
    if (/from ['"](?!\.\/)/.test(rewritten)) throw new Error(`${file} imports something from outside`);
    await writeFile(join(target, file), rewritten);
  }
  await rm(scratch, { recursive: true });
}

interface ContractModule {
  readonly path: string;
  /** Names of the types that it exports. */
  readonly types: readonly string[];
  readonly schemas: readonly z.ZodType[];
}

async function readContract(): Promise<ContractModule[]> {
  const files = (await readdir(CONTRACT)).sort();
  return Promise.all(
    files.map(async (file) => {
      const path = join(CONTRACT, file);
      const source = await readFile(path, 'utf8');
      const exports = Object.values((await import(pathToFileURL(path).href)) as Record<string, unknown>);
      return {
        path,
        types: [...source.matchAll(/^export type (\w+)/gm)].map(([, name]) => name as string),
        schemas: exports.filter((value) => value instanceof z.ZodType),
      };
    }),
  );
}

function sourceOf(contract: readonly ContractModule[]): string {
  const lines = contract.flatMap(({ path, types }) =>
    types.map((name) => `export const ${name} = plain<import(${JSON.stringify(path)}).${name}>();`),
  );
  return `${PLAIN}${lines.join('\n')}`;
}

/** Makes types of the values, with the descriptions of the schemas as comments. */
function withComments(declarations: string, contract: readonly ContractModule[]): string {
  const schemas = new Map(
    contract.flatMap((module) => module.schemas.map((item) => [item.meta()?.id, item])),
  );
  let fields: Record<string, z.ZodType> = {};
  return declarations.replaceAll(
    /^export declare const (\w+): |^ {4}(\w+)(?=\??: )/gm,
    (text, type?: string, field = '') => {
      if (type === undefined) return `${commentOf(fields[field], '    ')}${text}`;
      const schema = schemas.get(type);
      fields = schema instanceof z.ZodObject ? schema.shape : {};
      return `${commentOf(schema, '')}export type ${type} = `;
    },
  );
}

function commentOf(schema: z.ZodType | undefined, indent: string): string {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodNullable) {
    if (schema.description === undefined) return commentOf(schema.unwrap() as z.ZodType, indent);
  }
  return schema?.description === undefined ? '' : `${indent}/** ${schema.description} */\n`;
}

/** @returns where the declarations of a folder are */
async function emitDeclarations(scratch: string, files: string[]): Promise<(folder: string) => string> {
  const config = join(scratch, 'tsconfig.json');
  const rootDir = parse(ROOT).root;
  const outDir = join(scratch, 'emitted');
  const compilerOptions = {
    noEmit: false,
    declaration: true,
    emitDeclarationOnly: true,
    rootDir,
    outDir,
    typeRoots: [join(ROOT, 'node_modules/@types')],
  };
  const extended = join(ROOT, 'tsconfig.json');
  await writeFile(config, JSON.stringify({ extends: extended, compilerOptions, files, include: [] }));
  await writeFile(join(scratch, 'package.json'), '{ "type": "module" }');
  await promisify(execFile)(process.execPath, [TSC, '-p', config]).catch((error: { stdout: string }) => {
    throw new Error(`tsc:\n${error.stdout}`, { cause: error });
  });
  return (folder) => join(outDir, relative(rootDir, folder));
}

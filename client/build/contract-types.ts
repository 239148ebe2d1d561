import * as z from 'zod';
import { type JsonSchema, printType } from './print-type.ts';

/** One contract module: what tsc says that it exports, and what it exports. */
export interface ContractModule {
  readonly name: string;
  readonly declarations: string;
  readonly exports: Readonly<Record<string, unknown>>;
}

interface ExportedType {
  readonly name: string;
  /** Where it comes from; undefined for a union of literals. */
  readonly schema?: z.ZodType;
  readonly io: 'input' | 'output';
  readonly literals?: readonly unknown[];
}

const INFERRED = /^z\.(input|output)<typeof (\w+)>$/;
const MEMBERS = /^\(typeof (\w+)\)\[number\]$/;

/** The names of the types that a contract module exports. */
export function exportedTypes(module: ContractModule): ExportedType[] {
  return [...module.declarations.matchAll(/^export type (\w+) = (.+);$/gm)].map(
    ([, name = '', type = '']) => {
      const [, io, schema] = INFERRED.exec(type) ?? [];
      if (schema !== undefined) {
        return { name, io: io as 'input' | 'output', schema: module.exports[schema] as z.ZodType };
      }
      const [, literals] = MEMBERS.exec(type) ?? [];
      if (literals !== undefined) {
        return { name, io: 'output', literals: module.exports[literals] as readonly unknown[] };
      }
      throw new Error(`${module.name}: how the type ${name} is made of a schema is not known: ${type}`);
    },
  );
}

/**
 * The contract's types written out, so that whoever installs the package needs no zod. The build has tsc compare each
 * with the one that zod infers.
 */
export function printContractTypes(modules: readonly ContractModule[]): string {
  const types = modules.flatMap(exportedTypes);
  const named = new Set(types.filter(({ io }) => io === 'output').map(({ name }) => name));
  return types
    .map((type) => {
      if (type.schema === undefined) {
        return `export type ${type.name} = ${type.literals?.map((value) => JSON.stringify(value)).join(' | ')};\n`;
      }
      const json = z.toJSONSchema(type.schema, { io: type.io, unrepresentable: 'any' }) as JsonSchema;
      const nameOf = (definition: string): string | undefined =>
        named.has(definition) && definition !== type.name ? definition : undefined;
      const comment = json.description === undefined ? '' : `/** ${json.description} */\n`;
      return `${comment}export type ${type.name} = ${printType(json, nameOf)};\n`;
    })
    .join('\n');
}

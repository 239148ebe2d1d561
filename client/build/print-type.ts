/** The part of JSON Schema that `z.toJSONSchema` makes of the contract. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, JsonSchema>>;
  readonly type?: 'object' | 'array' | 'string' | 'number' | 'integer' | 'boolean' | 'null';
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly description?: string;
}

/** A JSON Schema as a TypeScript type; `nameOf` gives the type that stands for a definition, if there is one. */
export function printType(
  schema: JsonSchema,
  nameOf: (definition: string) => string | undefined,
  definitions = schema.$defs ?? {},
): string {
  const print = (part: JsonSchema): string => {
    if (part.$ref !== undefined) {
      const definition = part.$ref.replace('#/$defs/', '');
      const resolved = definitions[definition];
      if (resolved === undefined) throw new Error(`No definition ${part.$ref}`);
      return nameOf(definition) ?? print(resolved);
    }
    if (part.const !== undefined) return JSON.stringify(part.const);
    if (part.enum !== undefined) return part.enum.map((value) => JSON.stringify(value)).join(' | ');
    if (part.anyOf !== undefined) return part.anyOf.map(print).join(' | ');
    switch (part.type) {
      case 'object':
        return printObject(part);
      case 'array':
        return `Array<${print(part.items ?? {})}>`;
      case 'integer':
      case 'number':
        return 'number';
      case 'string':
      case 'boolean':
      case 'null':
        return part.type;
      default:
        throw new Error(`No TypeScript type is known for ${JSON.stringify(part)}`);
    }
  };

  const printObject = ({ properties = {}, required = [] }: JsonSchema): string => {
    const lines = Object.entries(properties).map(([name, property]) => {
      const text = property.description ?? definitionOf(property)?.description;
      const comment = text === undefined ? '' : `/** ${text} */\n`;
      const type = print(property);
      return required.includes(name)
        ? `${comment}${name}: ${type};`
        : `${comment}${name}?: ${type} | undefined;`;
    });
    return `{\n${lines.join('\n')}\n}`;
  };

  const definitionOf = ({ $ref }: JsonSchema): JsonSchema | undefined =>
    $ref === undefined ? undefined : definitions[$ref.replace('#/$defs/', '')];

  return print(schema);
}

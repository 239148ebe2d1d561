import { readFile, writeFile } from 'node:fs/promises';
import { createApiDocument } from './create-api-document.ts';

/** Writes `docs/openapi.json`; a test fails when it is not what the code says. */
const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { version: string };
await writeFile('docs/openapi.json', `${JSON.stringify(await createApiDocument(version), null, 2)}\n`);

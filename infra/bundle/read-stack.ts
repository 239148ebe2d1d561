import { readFileSync } from 'node:fs';
import { SourceMap, type SourceMapPayload } from 'node:module';
import { text } from 'node:stream/consumers';
import { SOURCE_MAP_FOLDER } from './bundle-functions.ts';

/**
 * `npm run read-stack -- FUNCTION [FOLDER] < STACK`: a stack of a bundle, or a line of the log with one, in terms of the
 * sources.
 */
const [name, folder = SOURCE_MAP_FOLDER] = process.argv.slice(2);
const payload = JSON.parse(readFileSync(`${folder}/${name}.mjs.map`, 'utf8')) as SourceMapPayload;
const map = new SourceMap(payload);

const stack = (await text(process.stdin)).replaceAll('\\n', '\n');
const read = stack.replaceAll(/(?:file:\/\/)?[^\s()]*index\.mjs:(\d+):(\d+)/g, (place, line, column) => {
  const origin = map.findEntry(Number(line) - 1, Number(column) - 1);
  if (!('originalSource' in origin)) return place;
  return `${origin.originalSource.replace(/^(\.\.\/)+/, '')}:${origin.originalLine + 1}:${origin.originalColumn + 1}`;
});
process.stdout.write(read);

import type * as z from 'zod';
import { noBodySchema, noQuerySchema } from '../contract/primitives.ts';
import { InvalidRequestError, type RequestIssue } from '../domain/errors.ts';
import type { ApiEvent } from './api-event.ts';
import type { AnyEndpoint } from './endpoint.ts';

/** A response names no more mistakes than these, and of a long name no more characters. */
const MAX_ISSUES = 20;
const MAX_NAME_LENGTH = 100;

/** The parts of the request that the endpoint names, as its schemas let them through. @throws InvalidRequestError */
export function validateRequest(endpoint: AnyEndpoint, event: ApiEvent): Record<string, unknown> {
  const { parameters, query = noQuerySchema, headers, body = noBodySchema } = endpoint.request;
  const issues: RequestIssue[] = [];
  const request = {
    ...(parameters && { parameters: parse('path', parameters, event.pathParameters ?? {}, issues) }),
    query: parse('query', query, event.queryStringParameters ?? {}, issues),
    ...(headers && { headers: parse('headers', headers, event.headers, issues) }),
    body: parse('body', body, event.body, issues),
  };
  if (issues.length > 0) throw new InvalidRequestError(issues.slice(0, MAX_ISSUES));
  return request;
}

/** What is expected, in the words of this API; a message that a schema brings itself goes first. */
function explainIssue(issue: z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined
        ? 'Is missing'
        : `Must be ${ARTICLES[issue.expected] ?? issue.expected}`;
    case 'too_big':
      return `Must ${MEASURES[issue.origin] ?? 'be'} at most ${issue.maximum}${UNITS[issue.origin] ?? ''}`;
    case 'too_small':
      return `Must ${MEASURES[issue.origin] ?? 'be'} at least ${issue.minimum}${UNITS[issue.origin] ?? ''}`;
    case 'invalid_value':
      return `Must be ${issue.values.map((value) => JSON.stringify(value)).join(' or ')}`;
    case 'invalid_format':
      return issue.format === 'datetime' ? 'Must be a time in ISO 8601, UTC' : 'Is not of the right form';
    case 'invalid_key':
      return issue.issues[0]?.message ?? 'Is not valid';
    default:
      return 'Is not valid';
  }
}

const ARTICLES: Readonly<Record<string, string>> = {
  array: 'a list',
  boolean: 'true or false',
  int: 'a whole number',
  number: 'a number',
  object: 'an object',
  record: 'an object',
  string: 'text',
};

const MEASURES: Readonly<Record<string, string>> = { array: 'have', string: 'have' };

const UNITS: Readonly<Record<string, string>> = { array: ' entries', string: ' characters' };

/** Adds what is wrong to `issues`; what is wrong with the part as a whole goes by its name. */
function parse(part: string, schema: z.ZodType, input: unknown, issues: RequestIssue[]): unknown {
  const parsed = schema.safeParse(input, { error: explainIssue });
  if (parsed.success) return parsed.data;
  for (const issue of parsed.error.issues) {
    const path = issue.path.map(String);
    if (issue.code !== 'unrecognized_keys') {
      issues.push({ path: path.join('.') || part, message: issue.message });
      continue;
    }
    for (const key of issue.keys.slice(0, MAX_ISSUES)) {
      issues.push({ path: [...path, key.slice(0, MAX_NAME_LENGTH)].join('.'), message: 'Unknown field' });
    }
  }
  return undefined;
}

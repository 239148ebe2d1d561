import { describe, expect, it } from 'vitest';
import { explainMistake } from '../../../infra/local/foreseeable-mistake.ts';
import { DatabaseUnavailableError } from '../../../shared/domain/errors.ts';

/** What cannot be brought about everywhere: not as root, not without a database that refuses. */
describe('the explanation of a mistake', () => {
  const explain = (fields: Record<string, unknown>) =>
    explainMistake(Object.assign(new Error('secret'), fields));

  it.each([
    [{ code: 'EACCES', syscall: 'listen', port: 80 }, /listen on port 80: set PORT to one above 1023/],
    [
      { code: 'EACCES', syscall: 'open', path: '.data/x.db' },
      /cannot use \.data\/x\.db: let this user read and write it/,
    ],
    [{ code: 'EROFS', syscall: 'mkdir', path: '.data' }, /cannot use \.data: let this user/],
    [
      { code: 'ENOTFOUND', syscall: 'getaddrinfo', hostname: 'here' },
      /here is not an address of this machine: check HOST/,
    ],
    [
      { code: 'EAI_AGAIN', syscall: 'getaddrinfo', hostname: 'here' },
      /here is not an address of this machine/,
    ],
    [{ name: 'MongoParseError' }, /MONGODB_URI cannot be used: check its hosts and options/],
  ])('of %j says what to change, and nothing of the error itself', (fields, line) => {
    const explanation = explain(fields);
    expect(explanation).toMatch(line);
    expect(explanation).not.toMatch(/secret|undefined|\n/);
  });

  it.each([
    [{ name: 'CredentialsProviderError' }, /no AWS credentials here: run aws sso login/],
    [{ name: 'ExpiredTokenException' }, /AWS refuses the credentials/],
    [{ name: 'InvalidSignatureException' }, /AWS refuses the credentials/],
    [{ name: 'UnrecognizedClientException' }, /AWS refuses the credentials/],
    [{ name: 'AccessDeniedException' }, /may not read the secret of MONGODB_SECRET_ARN: allow/],
    [{ name: 'DecryptionFailure' }, /cannot be decrypted/],
    [{ name: 'ResourceNotFoundException' }, /no secret MONGODB_SECRET_ARN: check its region/],
    [{ name: 'InvalidRequestException' }, /marked for deletion/],
    [
      { hostname: 'secretsmanager.eu-cental-1.amazonaws.com' },
      /Secrets Manager does not answer: check the region/,
    ],
    [{ name: 'MongoServerError', code: 13 }, /refuses the user of MONGODB_URI/],
    [{ name: 'MongoServerError', code: 18 }, /refuses the user of MONGODB_URI/],
    [{ name: 'MongoServerError', code: 8000 }, /refuses the user of MONGODB_URI/],
    [{ name: 'MongoNetworkError' }, /the database does not answer: check MONGODB_URI/],
  ])('of a secret that cannot be read for %j says what to change', (fields, line) => {
    const cause = Object.assign(new Error('a text of AWS'), fields);
    const explanation = explainMistake(new DatabaseUnavailableError({ cause }));
    expect(explanation).toMatch(line);
    expect(explanation).not.toMatch(/a text of AWS|undefined|\n/);
  });

  it('of a role without credentials is that of a secret without them', () => {
    const cause = Object.assign(new Error('none'), { name: 'CredentialsProviderError' });
    expect(explain({ name: 'MongoAWSError', cause })).toMatch(/no AWS credentials here/);
  });

  it('tells a locked or full SQLite database from a MongoDB that does not answer', () => {
    const cause = Object.assign(new Error('database is locked'), { code: 'ERR_SQLITE_ERROR', errcode: 5 });
    expect(explainMistake(new DatabaseUnavailableError({ cause }))).toMatch(/SQLITE_PATH/);
    expect(explainMistake(new DatabaseUnavailableError())).toMatch(/MONGODB_URI/);
  });

  it('is none for what nobody foresaw, so that its stack is shown', () => {
    expect(explain({})).toBeUndefined();
    expect(explain({ code: 'ERR_ASSERTION' })).toBeUndefined();
    expect(explain({ name: 'MongoServerError', code: 2 })).toBeUndefined();
    expect(explainMistake(new TypeError('x is not a function'))).toBeUndefined();
  });
});

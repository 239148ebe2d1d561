import { MongoBulkWriteError, MongoNetworkError, MongoServerError, MongoWriteConcernError } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { DatabaseUnavailableError } from '../../shared/domain/errors.ts';
import { refusedField, refusedWrites, translateDriverError } from '../../shared/store/mongo/errors.ts';

describe('an error of the driver', () => {
  const result = { insertedCount: 0 } as ConstructorParameters<typeof MongoBulkWriteError>[1];

  it.each([
    ['a lost connection', new MongoNetworkError('connection closed')],
    ['a server that is no longer the primary', new MongoServerError({ message: 'not primary', code: 10107 })],
    ['a server that goes down', new MongoServerError({ message: 'shutting down', code: 91 })],
    ['a server out of time', new MongoServerError({ message: 'time limit exceeded', code: 50 })],
    ['a lock that was not to be had', new MongoServerError({ message: 'LockTimeout', code: 24 })],
    ['a write conflict', new MongoServerError({ message: 'WriteConflict', code: 112 })],
    [
      'an index that is dropped under a query',
      new MongoServerError({ message: 'QueryPlanKilled', code: 175 }),
    ],
    [
      'servers that do not reach each other',
      new MongoServerError({ message: 'NetworkInterfaceExceededTimeLimit', code: 202 }),
    ],
    ['a moment that is no longer kept', new MongoServerError({ message: 'SnapshotTooOld', code: 239 })],
    ['a full cache', new MongoServerError({ message: 'TemporarilyUnavailable', code: 365 })],
    ['a user without a right', new MongoServerError({ message: 'not authorized on keys', code: 13 })],
    ['a refused credential', new MongoServerError({ message: 'Authentication failed', code: 18 })],
    ['a user that Atlas does not know', new MongoServerError({ message: 'bad auth', code: 8000 })],
    [
      'a server that limits its clients',
      new MongoServerError({ message: 'IngressRequestRateLimitExceeded', code: 462 }),
    ],
    ['a PostgreSQL that recovers', new MongoServerError({ message: 'cannot_connect_now', code: 50463173 })],
    [
      'an overloaded server',
      new MongoServerError({ message: 'busy', errorLabels: ['SystemOverloadedError'] }),
    ],
    [
      'a write that no majority confirmed',
      new MongoWriteConcernError({
        ok: 1,
        writeConcernError: { code: 64, errmsg: 'waiting for replication timed out' },
      }),
    ],
    [
      'a connection lost in an insertion of many',
      new MongoBulkWriteError(new MongoNetworkError('closed'), result),
    ],
    [
      'an insertion of many that no majority confirmed',
      new MongoBulkWriteError({ message: 'waiting for replication timed out', code: 64 }, result),
    ],
    [
      'a host name that does not resolve',
      Object.assign(new Error('querySrv ETIMEOUT'), { syscall: 'querySrv' }),
    ],
    [
      'a socket that the server has closed meanwhile',
      Object.assign(new Error('write EPIPE'), { syscall: 'write', code: 'EPIPE' }),
    ],
  ])('that means %s becomes DatabaseUnavailableError', (_name, error) => {
    const translated = translateDriverError(error);
    expect(translated).toBeInstanceOf(DatabaseUnavailableError);
    expect((translated as Error).cause).toBe(error);
  });

  it.each([
    ['a missing index', new MongoServerError({ message: 'hint does not correspond to an index', code: 2 })],
    ['a duplicate', new MongoServerError({ message: 'E11000', code: 11000 })],
    ['a mistake of our own', new TypeError('undefined is not a function')],
    ['nothing', undefined],
  ])('that means %s stays as it is', (_name, error) => {
    expect(translateDriverError(error)).toBe(error);
  });
});

describe('a duplicate', () => {
  const PLAN = 'Plan executor error during findAndModify :: caused by :: ';
  const E11000 = 'E11000 duplicate key error collection: orchestrator.keys index: ';

  it.each([
    ['requestHash', { message: `${E11000}other`, code: 11000, keyPattern: { requestHash: 1 } }],
    ['_id', { message: `${E11000}requestHash`, code: 11000, keyPattern: { _id: 1 } }],
    ['clientSeat', { message: `${PLAN}${E11000}clientSeat_1 dup key: { clientSeat: "x.1" }`, code: 11000 }],
    ['seatId', { message: `${E11000}seatId_1 dup key: { seatId: "requesthash#000001" }`, code: 11000 }],
    ['valueHash', { message: "Duplicate key violation: Index 'valueHash_1'", code: 11000 }],
    ['_id', { message: `${E11000}_id_ dup key: { _id: "key_1" }`, code: 11000 }],
    [undefined, { message: 'requestHash', code: 112 }],
  ])('tells that %s refused the write', (field, response) => {
    expect(refusedField(new MongoServerError(response))).toBe(field);
  });

  it('tells that a field refused an insertion of many', () => {
    const writeErrors = [{ index: 1, code: 11000, errmsg: `${E11000}valueHash_1` }];
    expect(refusedField(makeBulkError(writeErrors))).toBe('valueHash');
  });

  it('among many writes is told by its place', () => {
    const refused = { code: 11000, errmsg: E11000 };
    expect(refusedWrites(makeBulkError([2, 5].map((index) => ({ index, ...refused }))))).toEqual([2, 5]);
  });

  it('beside another error is that error', () => {
    const mixed = makeBulkError([
      { index: 0, code: 11000, errmsg: E11000 },
      { index: 1, code: 112, errmsg: 'WriteConflict' },
    ]);
    const lost = new MongoNetworkError('connection closed');
    for (const error of [mixed, lost]) expect(() => refusedWrites(error)).toThrow(error);
  });

  function makeBulkError(writeErrors: { index: number; code: number; errmsg: string }[]) {
    const [{ errmsg: message, code } = { errmsg: '', code: 0 }] = writeErrors;
    type Parameters = ConstructorParameters<typeof MongoBulkWriteError>;
    return new MongoBulkWriteError(
      { message, code, writeErrors } as unknown as Parameters[0],
      { insertedCount: 0 } as Parameters[1],
    );
  }
});

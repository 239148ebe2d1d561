import { createHash } from 'node:crypto';
import type { Key as KeyBody } from '../contract/keys.ts';
import { type Caller, requirePool } from './client.ts';
import type { Context } from './context.ts';
import { describeKey } from './describe.ts';
import {
  DatabaseUnavailableError,
  IdempotencyKeyReusedError,
  InvalidRequestError,
  PoolFullError,
  PoolMakesKeysError,
  type RequestIssue,
  ValueExistsError,
  ValuesNotConfiguredError,
} from './errors.ts';
import { makeEvent } from './events.ts';
import { type Key, type Labels, NEVER_EXPIRES } from './key.ts';
import { type Pool, poolReference } from './pool.ts';
import { generateKeyId, isDead, newKey, removeDead, seatsOf } from './seats.ts';
import type { Creation } from './store.ts';

/** How long a repeat finds what an idempotency key created, in milliseconds. */
const CREATION_MEMORY_MS = 86_400_000;

export interface CreateKeysRequest {
  readonly pool: string;
  /** How many; 1 when absent. */
  readonly count?: number | undefined;
  readonly labels?: Labels | undefined;
  /** Secrets, one key each; instead of `count`. */
  readonly values?: readonly { readonly value: string; readonly labels?: Labels | undefined }[] | undefined;
  readonly idempotencyKey?: string | undefined;
}

/**
 * Adds free keys to the pool, all or none. With an idempotency key a repeat creates nothing twice, and returns those of
 * the keys that still stand.
 * @throws PoolNotFoundError, PoolFullError, PoolMakesKeysError, ValueExistsError, ValuesNotConfiguredError,
 * IdempotencyKeyReusedError, InvalidRequestError, ForbiddenError
 */
export async function createKeys(
  context: Context,
  caller: Caller,
  request: CreateKeysRequest,
): Promise<{ keys: KeyBody[]; repeated: boolean }> {
  requirePool(caller, request.pool);
  const now = context.clock();
  const pool = await context.pools.getFresh(request.pool, now);
  const { targetSize } = pool.policy;
  const { values, count = 1 } = request;
  if (values !== undefined) requireDistinct(values);
  const keyIds = Array.from({ length: values?.length ?? count }, generateKeyId);

  const { creation, repeated } = await begin(context, caller, request, keyIds, now);
  let keys = repeated ? await listCreated(context, creation) : [];
  if (!creation.done) {
    // What was created before the pool had a target size is still what a repeat returns.
    if (targetSize !== null) throw new PoolMakesKeysError(pool.name, targetSize);
    if (keys.length < creation.keyIds.length) {
      keys = await addKeys(context, pool, { request, creation, standing: keys, now });
    }
    const [first = ''] = creation.keyIds;
    const event = { type: 'key.created', at: now, pool: pool.name, by: caller.clientId } as const;
    await context.events.record([makeEvent({ ...event, count: creation.keyIds.length }, first)], now);
    if (creation.requestHash !== '') await context.store.keys.finishCreation(creation.requestHash);
    context.counts.forget(poolReference(pool));
  }
  const reference = poolReference(pool);
  const visible = keys.filter(
    (key) => key.state !== 'deleted' && key.expiresAt > now && key.pool === reference,
  );
  return { keys: visible.map((key) => describeKey(key, now)), repeated };
}

/**
 * Takes note of a creation before anything is created, with the ids that its keys will have: a repeat goes on with the
 * same ids, whatever became of the first try.
 * @throws IdempotencyKeyReusedError
 */
async function begin(
  context: Context,
  caller: Caller,
  request: CreateKeysRequest,
  keyIds: readonly string[],
  now: number,
): Promise<{ creation: Creation; repeated: boolean }> {
  const { idempotencyKey, ...body } = request;
  const expiresAt = now + CREATION_MEMORY_MS;
  if (idempotencyKey === undefined) {
    return {
      creation: { requestHash: '', requestBody: '', keyIds, expiresAt, done: false },
      repeated: false,
    };
  }
  const requestHash = hash(`${caller.clientId}\n${idempotencyKey}`);
  const [requestBody, ...earlier] = await fingerprints(context, body);
  const creation = await context.store.keys.beginCreation(
    {
      requestHash,
      requestBody,
      keyIds,
      expiresAt,
      done: false,
    },
    now,
  );
  if (![requestBody, ...earlier].includes(creation.requestBody)) throw new IdempotencyKeyReusedError();
  return { creation, repeated: creation.keyIds[0] !== keyIds[0] };
}

/** Hashes of what is asked for, the current one first. With secrets in it, keyed ones: they must not be guessed at. */
async function fingerprints({ vault }: Context, body: object): Promise<[string, ...string[]]> {
  const text = JSON.stringify(body);
  const [first, ...rest] = 'values' in body ? ((await vault())?.hashes('', text) ?? []) : [];
  return first === undefined ? [hash(text)] : [first, ...rest];
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

/** A key to be added. */
interface MadeKey {
  readonly key: Key;
  /** Where in the request its value is. */
  readonly path: string;
  /** The hashes under which its value may stand already. */
  readonly hashes: readonly string[];
}

/** A key with a value never expires by itself. @throws ValuesNotConfiguredError */
async function makeKeys(
  context: Context,
  pool: Pool,
  { labels, values }: CreateKeysRequest,
  keyIds: readonly string[],
  now: number,
): Promise<MadeKey[]> {
  const keys = keyIds.map((keyId): Key => ({ ...newKey(context, pool, now), keyId, labels }));
  if (values === undefined) return keys.map((key) => ({ key, path: '', hashes: [] }));
  const vault = await context.vault();
  if (vault === undefined) throw new ValuesNotConfiguredError();
  const hashed = values.map(({ value }) => ({ hashes: vault.hashes(pool.name, value) }));
  const tokens = await context.store.keys.reserveTokens(hashed, now);
  return values.map((item, index) => {
    const key = keys[index] as Key;
    const hashes = hashed[index]?.hashes ?? [];
    const value = vault.seal(item.value, { pool: pool.name, keyId: key.keyId });
    const own = { expiresAt: NEVER_EXPIRES, labels: item.labels ?? labels, value, valueHash: hashes[0] };
    return {
      key: { ...key, ...own, fencingToken: tokens[index] as number },
      path: `values.${index}`,
      hashes,
    };
  });
}

/** The keys of a creation that stand, in its order. */
async function listCreated({ store }: Context, { keyIds }: Creation): Promise<Key[]> {
  const found = new Map((await store.keys.listStored(keyIds)).map((key) => [key.keyId, key]));
  return keyIds.flatMap((keyId) => found.get(keyId) ?? []);
}

/**
 * Adds those keys of a creation that do not stand; returns all of them.
 * @throws PoolFullError, ValueExistsError, ValuesNotConfiguredError, DatabaseUnavailableError
 */
async function addKeys(
  context: Context,
  pool: Pool,
  {
    request,
    creation,
    standing,
    now,
  }: { request: CreateKeysRequest; creation: Creation; standing: readonly Key[]; now: number },
): Promise<Key[]> {
  const before = new Map(standing.map((key) => [key.keyId, key]));
  const all = await makeKeys(context, pool, request, creation.keyIds, now);
  const made = all.filter(({ key }) => !before.has(key.keyId));
  const seats = seatsOf(context, pool, now);
  await requireNewValues(context, pool, made, now);
  const result = await context.store.keys.create(
    made.map(({ key }) => key),
    seats,
    made.flatMap(({ hashes: [, ...others] }) => others),
  );
  if (result === 'created') return all.map(({ key }) => before.get(key.keyId) ?? key);
  // Somebody else carries out this very request at the same time, or imports the same values.
  const created = await listCreated(context, creation);
  if (created.length === creation.keyIds.length) return created;
  if (result === 'full') throw new PoolFullError(pool.name, seats?.maxKeys ?? 0);
  await requireNewValues(context, pool, made, now);
  throw new DatabaseUnavailableError({ cause: new Error('The same keys are being created by another call') });
}

/**
 * A value stands in a pool once, and as long as the holder of a deleted key may work with it. A dead key that carries
 * one is removed; the unique index lets one of two imports through that find none. The creation's own keys are those of
 * the same request, carried out at the same time.
 * @throws ValueExistsError
 */
async function requireNewValues(
  context: Context,
  pool: Pool,
  made: readonly MadeKey[],
  now: number,
): Promise<void> {
  const paths = new Map(made.flatMap(({ path, hashes }) => hashes.map((one) => [one, path] as const)));
  if (paths.size === 0) return;
  const own = new Set(made.map(({ key }) => key.keyId));
  const issues: RequestIssue[] = [];
  for (const found of await context.store.keys.listByValue([...paths.keys()])) {
    if (own.has(found.keyId)) continue;
    if (isDead(context, pool, found, now) && (await removeDead(context, pool, found, now))) continue;
    issues.push({ path: paths.get(found.valueHash ?? '') ?? 'values', message: 'Is in the pool already' });
  }
  if (issues.length > 0) throw new ValueExistsError(issues);
}

/** @throws InvalidRequestError, which names the places and not the values */
function requireDistinct(values: readonly { value: string }[]): void {
  const first = new Map<string, number>();
  const issues = values.flatMap(({ value }, index) => {
    const earlier = first.get(value);
    if (earlier === undefined) first.set(value, index);
    return earlier === undefined
      ? []
      : [{ path: `values.${index}`, message: `Is the same as values.${earlier}` }];
  });
  if (issues.length > 0) throw new InvalidRequestError(issues);
}

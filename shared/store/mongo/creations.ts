import type { Creation } from '../../domain/store.ts';
import { type Commands, repeatOnDuplicate } from './commands.ts';
import { ID_INDEX } from './schema.ts';

// What is remembered of creations beside the keys themselves. Each command is on a primary key.

export const creations = { beginCreation, finishCreation };
export const valueTokens = { reserveTokens };

interface CreationDocument extends Omit<Creation, 'requestHash' | 'expiresAt'> {
  readonly _id: string;
  readonly expiresAt: Date;
}

export type CreationCommands = Commands<CreationDocument>;

/** The first token that no import of a value had, under the hash of the value. */
interface TokenDocument {
  readonly _id: string;
  readonly next: number;
}

export type TokenCommands = Commands<TokenDocument>;

/** How many tokens an import reserves: more than one key can ever use up. */
const RESERVED_TOKENS = 2 ** 32;

/**
 * Race: the same creation, sent twice. One write adds the note, or finds the one that stands; in that case it changes
 * nothing, but waits until a majority has what it returns.
 */
async function beginCreation(notes: CreationCommands, creation: Creation, now: number): Promise<Creation> {
  const { requestHash: _id, expiresAt, ...fields } = creation;
  await notes.deleteOne({ _id, expiresAt: { $lte: new Date(now) } }, { hint: ID_INDEX });
  const noted = await repeatOnDuplicate(() =>
    notes.findOneAndUpdate(
      { _id },
      { $setOnInsert: { ...fields, expiresAt: new Date(expiresAt) } },
      { upsert: true },
    ),
  );
  if (noted === null) throw new Error('An upsert returned nothing');
  const { _id: requestHash, ...standing } = noted;
  return { ...standing, requestHash, expiresAt: noted.expiresAt.getTime() };
}

async function finishCreation(notes: CreationCommands, requestHash: string): Promise<void> {
  await notes.updateOne({ _id: requestHash }, { $set: { done: true } });
}

/**
 * Race: the same value is imported twice at once. Each write is on condition of what was read, and would otherwise add a
 * second document with the same id, which the primary key refuses; those values are read again. Each is noted under all
 * of its hashes: while the vault's keys are rotated, another host may know but one of them.
 */
async function reserveTokens(
  tokens: TokenCommands,
  values: readonly { hashes: readonly string[] }[],
  now: number,
): Promise<number[]> {
  const firsts: number[] = [];
  let open = values.map(({ hashes }, place) => ({ hashes, place }));
  while (open.length > 0) {
    const hashes = open.flatMap((value) => value.hashes);
    const noted = await tokens.find({ _id: { $in: hashes } }, { limit: hashes.length });
    const nextOf = new Map(noted.map(({ _id, next }) => [_id, next]));
    const upserts = open.flatMap(({ hashes, place }) => {
      const first = Math.max(now, ...hashes.map((hash) => nextOf.get(hash) ?? 0));
      firsts[place] = first;
      const update = { $set: { next: first + RESERVED_TOKENS } };
      return hashes.map((_id) => ({
        place,
        filter: { _id, next: nextOf.get(_id) ?? { $exists: false } },
        update,
      }));
    });
    const refused = new Set((await tokens.upsertEach(upserts)).map((index) => upserts[index]?.place));
    open = open.filter(({ place }) => refused.has(place));
  }
  return firsts;
}

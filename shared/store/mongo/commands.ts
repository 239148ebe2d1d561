import type {
  Collection,
  Document,
  Filter,
  FindOptions,
  OptionalUnlessRequiredId,
  UpdateFilter,
  WithoutId,
} from 'mongodb';
import { DatabaseUnavailableError } from '../../domain/errors.ts';
import { isDuplicateKeyError, isMissingIndexError, refusedWrites } from './errors.ts';
import { type Index, indexName, UNIQUE_INDEXES } from './schema.ts';

/** How long a missing index is not asked for again, in milliseconds. */
const MISSING_MS = 60_000;

/** What every command of a store has in common. */
export interface CommandSettings {
  /** How long the server may work on a command. */
  readonly maxTimeMS: number;
  readonly indexes: HintedIndexes;
}

type ReadOptions = Omit<FindOptions, 'hint'> & { readonly hint?: Index };
type WriteOptions = { readonly hint?: Index; readonly upsert?: boolean };
/** An operator that is undefined is left out. */
type Update<Stored> = {
  [Operator in keyof UpdateFilter<Stored>]: UpdateFilter<Stored>[Operator] | undefined;
};

/**
 * The commands on one collection, each with a time limit for the server. Where one names an index (`hint`) that is not
 * there, it is sent again without: this release was started before its indexes were made, and is slow rather than down.
 * Not so where the index is unique: what goes by it relies on what it refuses.
 */
export class Commands<Stored extends Document> {
  readonly #collection: Collection<Stored>;
  readonly #settings: CommandSettings;

  constructor(collection: Collection<Stored>, settings: CommandSettings) {
    this.#collection = collection;
    this.#settings = settings;
  }

  find(filter: Filter<Stored>, options: ReadOptions = {}): Promise<Stored[]> {
    // All in the first batch: the driver gives the command for a second one no time limit.
    const wanted = { ...options, batchSize: options.limit || 1000 };
    return this.#run(filter, wanted, (sent) => this.#collection.find<Stored>(filter, sent).toArray());
  }

  async findOne(filter: Filter<Stored>, options?: ReadOptions): Promise<Stored | null> {
    const [found] = await this.find(filter, { ...options, limit: 1 });
    return found ?? null;
  }

  count(filter: Filter<Stored>, options: ReadOptions): Promise<number> {
    return this.#run(filter, options, (sent) => this.#collection.countDocuments(filter, sent));
  }

  aggregate<Result extends Document>(
    filter: Filter<Stored>,
    stages: readonly Document[],
    options: ReadOptions,
  ): Promise<Result[]> {
    const pipeline = [{ $match: filter }, ...stages];
    return this.#run(filter, options, (sent) => this.#collection.aggregate<Result>(pipeline, sent).toArray());
  }

  insertOne(document: OptionalUnlessRequiredId<Stored>): Promise<unknown> {
    return this.#run({}, {}, (sent) => this.#collection.insertOne(document, sent));
  }

  insertMany(documents: readonly OptionalUnlessRequiredId<Stored>[]): Promise<unknown> {
    return this.#run({}, {}, (sent) => this.#collection.insertMany(documents, sent));
  }

  /** Adds those of the documents that no unique index refuses; returns the places of the others. */
  async insertMissing(documents: readonly OptionalUnlessRequiredId<Stored>[]): Promise<number[]> {
    if (documents.length === 0) return []; // The driver refuses to insert nothing.
    const insert = (sent: object) => this.#collection.insertMany(documents, { ...sent, ordered: false });
    return this.#run({}, {}, insert).then(() => [], refusedWrites);
  }

  /** Updates the one document that meets each filter; returns how many were changed. */
  async updateEach(
    updates: readonly { readonly filter: Filter<Stored>; readonly update: Update<Stored> }[],
    options: { readonly hint: Index },
  ): Promise<number> {
    if (updates.length === 0) return 0; // The driver refuses to write nothing.
    for (const { filter } of updates) requireDefined(filter);
    const result = await this.#run({}, options, ({ hint, ...sent }) => {
      const writes = updates.map(({ filter, update }) => {
        return { updateOne: { filter, update: update as UpdateFilter<Stored>, ...(hint && { hint }) } };
      });
      return this.#collection.bulkWrite(writes, { ...sent, ordered: false });
    });
    return result.modifiedCount;
  }

  /** Updates the one document that meets each filter, or adds it; returns the places of those that a unique index refused. */
  upsertEach(
    upserts: readonly { readonly filter: Filter<Stored>; readonly update: UpdateFilter<Stored> }[],
  ): Promise<number[]> {
    const updates = upserts.map((each) => ({ updateOne: { ...each, upsert: true } }));
    const write = (sent: object) => this.#collection.bulkWrite(updates, { ...sent, ordered: false });
    return this.#run({}, {}, write).then(() => [], refusedWrites);
  }

  /**
   * Replaces the document with this id, or adds it.
   *
   * Race: two writers of one id that is not there yet; the one that is refused replaces what the other inserted.
   */
  async put(id: Stored['_id'], replacement: WithoutId<Stored>): Promise<void> {
    const filter = { _id: id } as Filter<Stored>;
    const options: WriteOptions = { upsert: true };
    await repeatOnDuplicate(() =>
      this.#run(filter, options, (sent) => this.#collection.replaceOne(filter, replacement, sent)),
    );
  }

  /** The document after the update; null where none met the filter. */
  findOneAndUpdate(
    filter: Filter<Stored>,
    update: Update<Stored>,
    options: WriteOptions = {},
  ): Promise<Stored | null> {
    const change = update as UpdateFilter<Stored>;
    return this.#run(filter, options, async (sent) => {
      const after = { ...sent, returnDocument: 'after' } as const;
      return (await this.#collection.findOneAndUpdate(filter, change, after)) as Stored | null;
    });
  }

  /** Whether a document met the filter. */
  async updateOne(
    filter: Filter<Stored>,
    update: Update<Stored>,
    options: WriteOptions = {},
  ): Promise<boolean> {
    const change = update as UpdateFilter<Stored>;
    const result = await this.#run(filter, options, (sent) =>
      this.#collection.updateOne(filter, change, sent),
    );
    return result.matchedCount === 1;
  }

  /** How many documents were changed. */
  async updateMany(filter: Filter<Stored>, update: Update<Stored>, options: WriteOptions): Promise<number> {
    const change = update as UpdateFilter<Stored>;
    const result = await this.#run(filter, options, (sent) =>
      this.#collection.updateMany(filter, change, sent),
    );
    return result.modifiedCount;
  }

  /** Whether there was such a document. */
  async deleteOne(filter: Filter<Stored>, options: WriteOptions = {}): Promise<boolean> {
    const result = await this.#run(filter, options, (sent) => this.#collection.deleteOne(filter, sent));
    return result.deletedCount === 1;
  }

  /** How many documents were deleted. */
  async deleteMany(filter: Filter<Stored>, options: WriteOptions): Promise<number> {
    const result = await this.#run(filter, options, (sent) => this.#collection.deleteMany(filter, sent));
    return result.deletedCount;
  }

  async #run<Options extends { readonly hint?: Index }, Result>(
    filter: Filter<Stored>,
    options: Options,
    send: (options: Options & { readonly maxTimeMS: number }) => Promise<Result>,
  ): Promise<Result> {
    requireDefined(filter);
    const { maxTimeMS, indexes } = this.#settings;
    const { hint, ...rest } = options;
    const unhinted = { ...rest, maxTimeMS } as Options & { maxTimeMS: number };
    if (hint === undefined) return send(unhinted);
    const isRule = UNIQUE_INDEXES.includes(hint);
    if (indexes.isMissing(hint) && !isRule) return send(unhinted);
    try {
      return await send({ ...unhinted, hint });
    } catch (error) {
      if (!isMissingIndexError(error)) throw error;
      indexes.reportMissing(hint);
      if (isRule) throw new DatabaseUnavailableError({ cause: error });
      return send(unhinted);
    }
  }
}

/** Carries out an upsert; where another one adds the document first, once more, which finds it. */
export async function repeatOnDuplicate<Result>(upsert: () => Promise<Result>): Promise<Result> {
  for (;;) {
    try {
      return await upsert();
    } catch (error) {
      if (!isDuplicateKeyError(error)) throw error;
    }
  }
}

/** Which hinted indexes are known to be missing, so that not every command is sent twice. */
export class HintedIndexes {
  readonly #onMissing: (indexName: string) => void;
  readonly #foundMissingAt = new Map<string, number>();

  /** @param onMissing is told once of each index that is not there */
  constructor(onMissing: (indexName: string) => void = () => undefined) {
    this.#onMissing = onMissing;
  }

  isMissing(index: Index): boolean {
    const at = this.#foundMissingAt.get(indexName(index));
    return at !== undefined && Math.abs(Date.now() - at) < MISSING_MS;
  }

  reportMissing(index: Index): void {
    const name = indexName(index);
    if (!this.#foundMissingAt.has(name)) this.#onMissing(name);
    this.#foundMissingAt.set(name, Date.now());
  }
}

/** A condition that is undefined would be left out, and every document would meet it. */
function requireDefined(filter: unknown): void {
  if (filter === undefined) throw new TypeError('A filter must not have an undefined condition');
  if (filter === null || typeof filter !== 'object' || filter instanceof Date) return;
  for (const condition of Object.values(filter)) requireDefined(condition);
}

import type { PoolPolicy } from '../../shared/domain/pool.ts';
import type { Store } from '../../shared/domain/store.ts';

/** After how long the first line is printed, and each further one, in milliseconds. */
const FIRST_LINE_MS = 2000;
const NEXT_LINE_MS = 10_000;

/** Makes indexes, tables and the default pool, however long that takes, and says on stderr that it is at work. */
export async function prepareStore(store: Store, defaultPolicy?: PoolPolicy): Promise<void> {
  await store.ping(); // Otherwise a database that does not answer would be said to be at work.
  const startedAt = performance.now();
  const say = (): void => {
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    console.error(`Building the database's indexes: ${seconds} s so far; millions of keys take minutes`);
    timer = setTimeout(say, NEXT_LINE_MS);
  };
  let timer = setTimeout(say, FIRST_LINE_MS);
  try {
    await store.prepare(Date.now(), defaultPolicy);
  } finally {
    clearTimeout(timer);
  }
}

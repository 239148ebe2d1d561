// A guarded resource that rejects an old fencing token. A lease keeps others out as long as its holder listens to the
// signal; a holder that was frozen, or that an admin ended by force, may still write later. The resource stops it: it
// remembers the greatest fencing token that it has seen.
import { connect, preparePool } from './connect.js';

class GuardedFile {
  #greatestToken = 0;
  #text = '';

  /**
   * @param {string} text
   * @param {number} fencingToken
   */
  write(text, fencingToken) {
    if (fencingToken < this.#greatestToken) {
      throw new Error(`token ${fencingToken} is older than ${this.#greatestToken}`);
    }
    this.#greatestToken = fencingToken;
    this.#text = text;
  }

  get text() {
    return this.#text;
  }
}

const client = connect();
await preparePool(client, 'example-guarded-file', 1);
const file = new GuardedFile();

// The first holder falls asleep, and never hears that it lost its lease.
const first = await client.acquire({ pool: 'example-guarded-file', holder: 'first', waitMs: 60_000 });
file.write('first', first.fencingToken);
await client.keys.unblock(first, { force: true });

await client.withLease({ pool: 'example-guarded-file', holder: 'second', waitMs: 60_000 }, (second) => {
  file.write('second', second.fencingToken);

  // Now the first one wakes up.
  try {
    file.write('first again', first.fencingToken);
  } catch (error) {
    console.log(`rejected: ${error instanceof Error ? error.message : error}`);
  }
});
console.log(`the file says: ${file.text}`);

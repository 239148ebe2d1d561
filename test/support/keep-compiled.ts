import { flushCompileCache } from 'node:module';
import { afterAll } from 'vitest';

// Node writes what it has compiled at its exit; vitest's workers are killed instead.
afterAll(() => flushCompileCache());

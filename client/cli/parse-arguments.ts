import { InvalidArgumentError } from 'commander';

const UNITS_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** `30s`, `500ms`, `5m`, `1h`, `90d`, or a number of seconds, to milliseconds. */
export function parseDuration(text: string): number {
  const [, amount, unit = 's'] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(text) ?? [];
  if (amount === undefined) throw new InvalidArgumentError('Write it as 30s, 500ms, 5m, 1h or 90d.');
  return Math.round(Number(amount) * UNITS_MS[unit as keyof typeof UNITS_MS]);
}

/** A duration, in whole seconds. */
export function parseSeconds(text: string): number {
  return Math.ceil(parseDuration(text) / 1000);
}

/** A whole number, at least `min`. */
export function parseWhole(min: number): (text: string) => number {
  return (text) => {
    if (!/^\d{1,15}$/.test(text) || Number(text) < min) {
      throw new InvalidArgumentError(`It must be a whole number, at least ${min}.`);
    }
    return Number(text);
  };
}

/** A whole number, or the word that stands for "no limit". (commander takes a parsed null for a missing value.) */
export function parseWholeOr<Word extends string>(word: Word, min: number): (text: string) => number | Word {
  return (text) => {
    if (text === word) return word;
    if (!/^\d{1,15}$/.test(text) || Number(text) < min) {
      throw new InvalidArgumentError(`It must be a whole number, at least ${min}, or "${word}".`);
    }
    return Number(text);
  };
}

/** For an option that may be repeated. */
export function collect(text: string, before: readonly string[] = []): string[] {
  return [...before, text];
}

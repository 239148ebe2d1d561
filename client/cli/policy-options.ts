import { type Command, Option } from 'commander';
import type { Pool, PoolPolicy } from '../../shared/contract/pools.ts';
import { parseWhole, parseWholeOr } from './parse-arguments.ts';
import { formatDuration } from './print.ts';

/** How one field of a policy is written on the command line, and shown. */
interface PolicyField<Value> {
  readonly options: readonly Option[];
  /** The value of the options as the API takes it. */
  readonly read: (given: never) => Value;
  readonly heading: string;
  readonly show: (value: Value) => string;
}

/** A number of something that may have no limit. */
function countField(
  flags: string,
  description: string,
  heading: string,
  least = 0,
): PolicyField<number | null> {
  return {
    options: [new Option(flags, `${description}, or none`).argParser(parseWholeOr('none', least))],
    read: (given: number | 'none') => (given === 'none' ? null : given),
    heading,
    show: (count) => (count === null ? 'none' : String(count)),
  };
}

/** All fields of the policy; the compiler complains when one is missing. */
const POLICY: { readonly [Field in keyof PoolPolicy]: PolicyField<PoolPolicy[Field]> } = {
  leaseSeconds: {
    options: [new Option('--lease-seconds <seconds>', 'length of a lease').argParser(parseWhole(1))],
    read: (given: number) => given,
    heading: 'lease',
    show: showSeconds,
  },
  keyTtlSeconds: {
    options: [
      new Option('--key-ttl-seconds <seconds>', "a key's life after creation or refresh, or never").argParser(
        parseWholeOr('never', 1),
      ),
    ],
    read: (given: number | 'never') => (given === 'never' ? null : given),
    heading: 'key life',
    show: showSeconds,
  },
  maxKeys: countField('--max-keys <count>', 'the most keys', 'max keys'),
  targetSize: countField(
    '--target-size <count>',
    'how many keys the pool makes and holds by itself',
    'target',
  ),
  maxLeaseSeconds: {
    options: [
      new Option('--max-lease-seconds <seconds>', 'the longest a lease may be kept alive, or none').argParser(
        parseWholeOr('none', 1),
      ),
    ],
    read: (given: number | 'none') => (given === 'none' ? null : given),
    heading: 'longest lease',
    show: (seconds) => (seconds === null ? 'none' : showSeconds(seconds)),
  },
  cooldownSeconds: {
    options: [
      new Option(
        '--cooldown-seconds <seconds>',
        'how long a key rests after a lapse or an unblock',
      ).argParser(parseWhole(0)),
    ],
    read: (given: number) => given,
    heading: 'cooldown',
    show: showSeconds,
  },
  maxLeasesPerClient: countField(
    '--max-leases-per-client <count>',
    'the most leases of one client',
    'per client',
    1,
  ),
  fair: {
    options: [
      new Option('--fair', 'serve those who wait in order'),
      new Option('--no-fair', 'serve whoever asks first when a key is free').default(undefined),
    ],
    read: (given: boolean) => given,
    heading: 'fair',
    show: (fair) => (fair ? 'yes' : 'no'),
  },
  agingSeconds: {
    options: [
      new Option('--aging-seconds <seconds>', 'waiting this long counts as one step of priority').argParser(
        parseWhole(1),
      ),
    ],
    read: (given: number) => given,
    heading: 'aging',
    show: showSeconds,
  },
  paused: {
    options: [
      new Option('--paused', 'give no new leases'),
      new Option('--no-paused', 'give new leases again').default(undefined),
    ],
    read: (given: boolean) => given,
    heading: 'paused',
    show: (paused) => (paused ? 'yes' : 'no'),
  },
};

/** Every field of a policy. */
export const policyFields = Object.fromEntries(Object.keys(POLICY).map((field) => [field, true])) as Record<
  keyof PoolPolicy,
  true
>;

const FIELDS = Object.entries(POLICY) as [keyof PoolPolicy, PolicyField<unknown>][];

export const policyHeadings = FIELDS.map(([, { heading }]) => heading);

/** The policy's fields as people read them, in the order of the headings. */
export function showPolicy(pool: Pool): string[] {
  return FIELDS.map(([name, { show }]) => show(pool[name]));
}

export function addPolicyOptions(command: Command): Command {
  for (const [, { options }] of FIELDS) for (const option of options) command.addOption(option);
  return command;
}

/** The fields of a policy that were given on the command line. */
export function readPolicy(given: Readonly<Record<string, unknown>>): Partial<PoolPolicy> {
  return Object.fromEntries(
    FIELDS.filter(([name]) => given[name] !== undefined).map(([name, { read }]) => [
      name,
      read(given[name] as never),
    ]),
  );
}

function showSeconds(seconds: number | null): string {
  return formatDuration(seconds === null ? null : seconds * 1000);
}

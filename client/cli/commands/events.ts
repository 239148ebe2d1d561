import { type Command, Option } from 'commander';
import type { Event, EventType, ListEventsResponse } from '../../../shared/contract/events.ts';
import type { OrchestratorClient } from '../../sdk/create-client.ts';
import type { OrchestratorError } from '../../sdk/errors.ts';
import type { EventFilter } from '../../sdk/events.ts';
import { describeError, messageOf } from '../cli-error.ts';
import { type CommonOptions, defineJsonCommand, perform } from '../define-command.ts';
import { parseWhole } from '../parse-arguments.ts';
import { formatRow, formatTable, print, remark } from '../print.ts';

interface EventsOptions extends CommonOptions, EventFilter {
  readonly after?: string;
  readonly limit?: number;
  readonly tail?: number;
  readonly follow?: boolean;
}

const FIELDS = { events: true, next: true } as const satisfies Record<keyof ListEventsResponse, true>;

/** The compiler checks that none is missing. */
const TYPES = Object.keys({
  'lease.lapsed': true,
  'lease.unblocked': true,
  'key.created': true,
  'key.deleted': true,
  'key.discarded': true,
  'key.paused': true,
  'key.resumed': true,
  'pool.exhausted': true,
  'pool.changed': true,
  'client.created': true,
  'client.revoked': true,
  'client.secret_added': true,
} satisfies Record<EventType, true>);

const DEFAULT_TAIL = 20;
/** Of a tail that is followed, as `tail -f` has it. */
const DEFAULT_FOLLOWED_TAIL = 10;
const PAGE = 200;

export function addEventsCommand(program: Command): void {
  defineJsonCommand(program, {
    usage: 'events',
    description: `Show what happened, oldest first: the newest ${DEFAULT_TAIL} events, or those that you ask for`,
    example: 'events --follow --pool licences',
    fields: FIELDS,
  })
    .option('--pool <pool>', 'of this pool')
    .addOption(new Option('--type <type>', 'of this type').choices(TYPES))
    .option('--key <keyId>', 'about this key')
    .option('--client <clientId>', 'about this client or its leases')
    .option('--holder <holder>', 'about leases of this holder, letter for letter')
    .option('--after <cursor>', 'those that follow: `next` of an earlier list, `after` of a followed event')
    .addOption(
      new Option(
        '--limit <count>',
        'so many at most, from the oldest that is kept or from --after',
      ).argParser(parseWhole(1)),
    )
    .addOption(
      new Option('--tail <count>', 'the newest so many, 1 to 200')
        .argParser(parseWhole(1))
        .conflicts(['after', 'limit']),
    )
    .addOption(
      new Option('-f, --follow', 'go on with what happens, until interrupted').conflicts(['limit', 'only']),
    )
    .action((options: EventsOptions) =>
      perform(options, (client) =>
        options.follow === true ? followEvents(client, options) : listEvents(client, options),
      ),
    );
}

async function listEvents(client: OrchestratorClient, options: EventsOptions): Promise<void> {
  const { limit, after, tail } = options;
  const list =
    after === undefined && limit === undefined
      ? await client.events.list({ ...filterOf(options), tail: tail ?? DEFAULT_TAIL })
      : await readEvents(client, options, limit ?? PAGE);
  print(options, list, () => formatTable(HEADINGS, list.events.map(cellsOf)));
  if (limit !== undefined && list.events.length === limit) {
    remark(options, `there may be more: go on with --after ${list.next}`);
  }
}

/** Page after page, which may be short or empty although more follow, until nothing leads further. */
async function readEvents(
  client: OrchestratorClient,
  options: EventsOptions,
  limit: number,
): Promise<ListEventsResponse> {
  const events: Event[] = [];
  let { after } = options;
  for (;;) {
    const page = await client.events.list({
      ...filterOf(options),
      after,
      limit: Math.min(PAGE, limit - events.length),
    });
    events.push(...page.events);
    if (events.length === limit || page.next === after) return { events, next: page.next };
    after = page.next;
  }
}

async function followEvents(client: OrchestratorClient, options: EventsOptions): Promise<void> {
  const filter = filterOf(options);
  const widths = [24, 15, 10, 26, 16, 16];
  const show = (event: Event & { after?: string | undefined }): void =>
    print(options, event, () => {
      const cells = cellsOf(event);
      // A column stays as wide as it had to become.
      for (const [column, cell] of cells.entries()) {
        widths[column] = Math.max(widths[column] ?? 0, cell.length);
      }
      return formatRow(cells, widths);
    });

  let { after } = options;
  if (after === undefined) {
    const { events, next } = await client.events.list({
      ...filter,
      tail: options.tail ?? DEFAULT_FOLLOWED_TAIL,
    });
    for (const [index, event] of events.entries()) {
      show(index === events.length - 1 ? { ...event, after: next } : event);
    }
    after = next;
  }
  const onOutage = (error: OrchestratorError | undefined): void => {
    if (error === undefined) remark(options, 'the service responds again');
    else if (options.json) process.stderr.write(`${describeError(error, true)}\n`);
    else remark(options, `${messageOf(error)}; trying again`);
  };
  // A signal ends this process as it ends any other one.
  for await (const event of client.events.follow({ ...filter, after, onOutage })) show(event);
}

function filterOf({ pool, type, key, client, holder }: EventsOptions): EventFilter {
  return { pool, type, key, client, holder };
}

const HEADINGS = ['TIME', 'TYPE', 'POOL', 'KEY', 'CLIENT', 'BY', 'DETAIL'];

function cellsOf(event: Event): string[] {
  const { at, type, pool = '-', keyId = '-', clientId = '-', holder, by = '-' } = event;
  const client = holder === undefined ? clientId : `${holder} (${clientId})`;
  return [at, type, pool, keyId, client, by, detailOf(event)];
}

function detailOf({ count, change, fields, fencingToken }: Event): string {
  if (change !== undefined) return [change, ...(fields ?? [])].join(' ');
  if (count !== undefined) return `count ${count}`;
  return fencingToken === undefined ? '' : `token ${fencingToken}`;
}

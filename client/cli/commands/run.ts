import { type Command, Option } from 'commander';
import { describeError } from '../cli-error.ts';
import { defineCommand, perform } from '../define-command.ts';
import { acquireOptionsOf, addLeaseOptions, type LeaseOptions } from '../lease-options.ts';
import { parseDuration, parseWhole } from '../parse-arguments.ts';
import { runCommand } from '../run/run-command.ts';

interface RunOptions extends LeaseOptions {
  readonly count?: number;
  readonly grace: number;
}

const DEFAULT_GRACE_MS = 5000;

const EXIT_CODES = `
The exit code is the command's own (128 and the signal's number where a signal ended it), or
  2    the command line is wrong
  69   the service cannot be reached
  75   no key was free in time
  76   the lease was lost; the command was ended
  77   the credential is wrong or not allowed to do this
  78   a setting is missing or unfit
  126  the command cannot be executed
  127  the command was not found`;

export function addRunCommand(program: Command): void {
  addLeaseOptions(
    defineCommand(program, {
      usage: 'run <command...>',
      description:
        'Hold a key while a command runs. It finds TOKEN_ORCHESTRATOR_KEY, TOKEN_ORCHESTRATOR_VALUE and TOKEN_ORCHESTRATOR_FENCING_TOKEN in its environment.',
      example: 'run --pool licences --wait 30s -- ./render.sh scene.blend',
    }),
  )
    .usage('[options] -- COMMAND...')
    .option(
      '--count <count>',
      'hold so many keys, all or none; each variable then has a line for each',
      parseWhole(1),
    )
    .addOption(
      new Option(
        '--grace <duration>',
        'between SIGTERM and SIGKILL when the lease is lost; less where the lease ends sooner',
      )
        .argParser(parseDuration)
        .default(DEFAULT_GRACE_MS, '5s'),
    )
    .addHelpText('after', EXIT_CODES)
    .passThroughOptions()
    .action((command: string[], options: RunOptions) =>
      perform(options, async (client) => {
        process.exitCode = await runCommand(client, {
          command,
          acquire: acquireOptionsOf(options),
          count: options.count,
          graceMs: options.grace,
          onReleaseFailed: (error) => {
            process.stderr.write(`${describeError(error, false)}; the lease lapses by itself\n`);
          },
        });
      }),
    );
}

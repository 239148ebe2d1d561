import { type Command, Option } from 'commander';
import type { OrchestratorClient } from '../sdk/create-client.ts';
import { describeError, exitCodeOf } from './cli-error.ts';
import { addConnectionOptions, type ConnectionOptions, connect } from './connect.ts';
import type { OutputOptions } from './print.ts';

/** The options that every command gives to what it does. */
export interface CommonOptions extends ConnectionOptions, OutputOptions {}

export interface CommandDefinition {
  /** Its name and arguments, as commander writes them. */
  readonly usage: string;
  readonly description: string;
  /** A line to copy, without the program's name. */
  readonly example: string;
}

/** A command with the options that all have, and an example in its help. */
export function defineCommand(parent: Command, definition: CommandDefinition): Command {
  const command = parent.command(definition.usage).description(definition.description);
  addConnectionOptions(command);
  return command.addHelpText('after', `\nExample:\n  $ token-orchestrator ${definition.example}`);
}

/** As {@link defineCommand}, with `--json` and `--only`. */
export function defineJsonCommand(
  parent: Command,
  definition: CommandDefinition & {
    /** The fields of the JSON: a mistake in `--only` is found before anything is done. */
    readonly fields: Readonly<Record<string, true>>;
  },
): Command {
  return defineCommand(parent, definition)
    .option('--json', 'print JSON, for programs')
    .addOption(
      new Option('--only <field>', 'print this field of the JSON alone, for shells').choices(
        Object.keys(definition.fields),
      ),
    );
}

/** Does the work of a command; what goes wrong is one line on standard error and an exit code. */
export async function perform(
  options: CommonOptions,
  work: (client: OrchestratorClient) => Promise<void>,
): Promise<void> {
  try {
    await work(await connect(options));
  } catch (error) {
    process.stderr.write(`${describeError(error, options.json === true)}\n`);
    process.exitCode = exitCodeOf(error);
  }
}

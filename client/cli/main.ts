import { Command, CommanderError } from 'commander';
import packageJson from '../package.json' with { type: 'json' };
import { exitCodes } from './cli-error.ts';
import { addClientCommands } from './commands/clients.ts';
import { addCompletionCommand } from './commands/completion.ts';
import { addEventsCommand } from './commands/events.ts';
import { addKeyCommands } from './commands/keys.ts';
import { addLeaseCommands } from './commands/leases.ts';
import { addPoolCommands } from './commands/pools.ts';
import { addRunCommand } from './commands/run.ts';

const program = new Command('token-orchestrator')
  .description('Hold a lease on one key of a pool, one holder at a time')
  .version(packageJson.version)
  .addHelpText('after', '\nExample:\n  $ token-orchestrator run --pool licences --wait 30s -- ./render.sh')
  // Otherwise the options of a command under `run` would be taken for ours.
  .enablePositionalOptions()
  .exitOverride();

addRunCommand(program);
addLeaseCommands(program);
addKeyCommands(program);
addPoolCommands(program);
addClientCommands(program);
addEventsCommand(program);
addCompletionCommand(program);

// `keys list | head` closes our output early.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  // commander has printed what is wrong, or the help that was asked for.
  process.exitCode = error.exitCode === 0 ? 0 : exitCodes.usage;
}

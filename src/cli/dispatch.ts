import { commands } from './commands.js';
import { commandHelp, generalHelp } from './help.js';
import type { ExitCode, Io } from './io.js';
import { CommandFailure, UsageError } from './usage-error.js';

/** Parses a command line, runs its command, and turns whatever is thrown into a message and an exit code. */
export async function dispatch(args: readonly string[], io: Io): Promise<ExitCode> {
  try {
    const help = plainHelp(args, io.columns);
    const parsed = help ?? (await import('./parse.js')).parse(args, io.columns);
    if (typeof parsed === 'string') {
      io.out(`${parsed}\n`);
      return 0;
    }
    return await parsed.command.run(parsed.args, io);
  } catch (error) {
    return report(error, io);
  }
}

/** Help in its two usual forms, without loading the parser: it should be there at once. */
function plainHelp(args: readonly string[], columns: number): string | undefined {
  const last = args.at(-1);
  if (args.length > 2 || (last !== '--help' && last !== '-h')) return undefined;
  if (args.length === 1) return generalHelp(commands, columns);
  const command = commands.find((candidate) => candidate.name === args[0]);
  return command && commandHelp(command, columns);
}

/** Faults that somebody can act on are one line; anything else is a defect, and shows its stack. */
function report(error: unknown, io: Io): ExitCode {
  if (error instanceof UsageError || error instanceof CommandFailure) {
    io.err(`taba: ${error.message}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
  io.err(`taba: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return 1;
}

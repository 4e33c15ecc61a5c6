import type { ExitCode, Io } from './io.js';
import { thisProgram } from './this-program.js';
import { version } from './version.js';

/** Runs the command line of this process, and leaves its exit code. */
export async function runFromShell(): Promise<void> {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // `taba names | head -1`: whoever read has enough, which is no failure.
    if (error.code === 'EPIPE') process.exit(0);
    process.stderr.write(`taba: standard output: ${error.message}\n`);
    process.exit(1);
  });
  process.stderr.on('error', () => {
    // Nobody reads the log any more: no reason for a daemon to stop counting.
  });
  process.exitCode = await run(process.argv.slice(2), {
    env: process.env,
    folder: process.cwd(),
    get stdin() {
      return process.stdin;
    },
    stdoutIsTerminal: process.stdout.isTTY === true,
    stderrIsTerminal: process.stderr.isTTY === true,
    get program() {
      return thisProgram();
    },
    columns: Math.min(process.stdout.columns ?? 100, 110),
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
  });
}

/** Runs one command line. Everything behind the version is loaded only when it is needed: start-up time is felt. */
export async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  if (args.length === 1 && (args[0] === '--version' || args[0] === '-V')) {
    io.out(`taba ${version}\n`);
    return 0;
  }
  const { dispatch } = await import('./dispatch.js');
  return dispatch(args, io);
}

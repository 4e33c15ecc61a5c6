import { createInterface } from 'node:readline/promises';
import type { Arguments } from './command.js';
import type { Io } from './io.js';
import { UsageError } from './usage-error.js';

/**
 * Whether to go on with what cannot be undone: --yes says so, else a person at the terminal.
 * @throws UsageError where there is nobody to ask
 */
export async function confirm(args: Arguments, io: Io, question: string): Promise<boolean> {
  if (args.isOn('yes')) return true;
  if (io.stdin.isTTY !== true)
    throw new UsageError('nothing was done: without a terminal to ask at, it needs --yes');
  const prompt = createInterface({ input: io.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await prompt.question(`${question} [y/N] `)).trim());
  } finally {
    prompt.close();
  }
}

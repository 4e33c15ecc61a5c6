import { isSea } from 'node:sea';

export interface Program {
  readonly file: string;
  /** What stands before the arguments of a command line. */
  readonly args: readonly string[];
}

/** Flags of Node that open a port or write a file: two processes cannot share them. */
const ofOneProcess = /^--(inspect|cpu-prof|heap-prof|debug)/;

/** How to start this very program once more: the single executable by itself, else Node with its flags and the same script. */
export function thisProgram(): Program {
  if (isSea()) return { file: process.execPath, args: [] };
  const nodeFlags = process.execArgv.filter((flag) => !ofOneProcess.test(flag));
  return { file: process.execPath, args: [...nodeFlags, process.argv[1] ?? ''] };
}

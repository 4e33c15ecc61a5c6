import type { Program } from './this-program.js';

/** What a command may touch of the world, so that tests can hand it another one. */
export interface Io {
  readonly env: NodeJS.ProcessEnv;
  /** Relative paths begin here. */
  readonly folder: string;
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly stdoutIsTerminal: boolean;
  readonly stderrIsTerminal: boolean;
  /** Width to wrap help at. */
  readonly columns: number;
  /** Starts this very program once more. */
  readonly program: Program;
  out(text: string): void;
  err(text: string): void;
}

/** 0: done; 1: failed; 2: asked for wrongly. */
export type ExitCode = 0 | 1 | 2;

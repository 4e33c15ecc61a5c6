import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { ExitCode, Io } from '../../src/cli/io.js';
import { run } from '../../src/cli/shell.js';
import { programArguments } from '../support/program.js';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

export interface Ran {
  readonly code: ExitCode;
  readonly out: string;
  readonly err: string;
}

interface Setup {
  readonly env?: NodeJS.ProcessEnv;
  readonly stdin?: string | Readable;
  readonly folder?: string;
  readonly stderrIsTerminal?: boolean;
}

/** Runs one command line in this process, with everything it writes caught. */
export async function taba(args: readonly string[], setup: Setup = {}): Promise<Ran> {
  let out = '';
  let err = '';
  const io: Io = {
    env: setup.env ?? {},
    folder: setup.folder ?? process.cwd(),
    stdin: inputOf(setup.stdin ?? ''),
    stdoutIsTerminal: false,
    stderrIsTerminal: setup.stderrIsTerminal ?? false,
    columns: 100,
    program: { file: process.execPath, args: programArguments(main) },
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
  };
  const code = await run(args, io);
  return { code, out, err };
}

function inputOf(stdin: string | Readable): Readable {
  return typeof stdin === 'string' ? Readable.from(stdin === '' ? [] : [Buffer.from(stdin)]) : stdin;
}

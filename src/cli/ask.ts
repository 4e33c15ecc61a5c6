import { request } from 'node:http';
import { type ErrorCode, errorCatalogue } from '../core/errors.js';
import type { Arguments, Option } from './command.js';
import type { ExitCode, Io } from './io.js';
import { nodeUrl } from './settings/kinds.js';
import { CommandFailure, UsageError } from './usage-error.js';

export const defaultServer = 'http://127.0.0.1:8300';

/** Flags of every command that asks a server. */
export const askOptions = {
  server: { placeholder: 'URL', description: `server to ask, else TABA_SERVER [${defaultServer}]` },
  json: { placeholder: '', description: 'answer for programs' },
} as const satisfies Record<string, Option>;

/** Flags of commands that select tabs. */
export const selectOptions = {
  ...askOptions,
  re: {
    placeholder: '',
    description: 'names are regular expressions (RE2), matched from the beginning of a name',
  },
} as const satisfies Record<string, Option>;

/** Flags of commands that show States. */
export const showOptions = {
  ...selectOptions,
  client: { placeholder: 'ID', description: 'only this client; several are separated by commas' },
  detail: { placeholder: '', description: 'everything that is known, as JSON' },
} as const satisfies Record<string, Option>;

export interface Question {
  readonly path: string;
  readonly parameters?: Readonly<Record<string, string | undefined>>;
  readonly method?: 'GET' | 'POST';
  readonly body?: {
    readonly type: string;
    readonly content: string | Uint8Array;
    readonly headers?: Record<string, string>;
  };
  readonly accept?: string;
}

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

const answerTimeoutMs = 60_000;

/** The server that a command talks to: --server, TABA_SERVER, or the one on this host. */
export function serverOf(args: Arguments, env: NodeJS.ProcessEnv): string {
  const flag = args.text('server');
  const written = flag ?? env.TABA_SERVER;
  if (written === undefined || written === '') return defaultServer;
  const url = nodeUrl.fromTexts([written], '');
  if (url === undefined) {
    const place = flag === undefined ? 'TABA_SERVER' : '--server';
    throw new UsageError(`${place}: ${JSON.stringify(written)} is wrong: it takes ${nodeUrl.takes}`);
  }
  return url;
}

/** One request. @throws CommandFailure when nobody answers, saying what to do */
export async function ask(server: string, question: Question): Promise<Reply> {
  const url = new URL(question.path, server);
  for (const [name, value] of Object.entries(question.parameters ?? {})) {
    if (value !== undefined) url.searchParams.set(name, value);
  }
  const { promise, resolve, reject } = settlement<Reply>();
  const outgoing = request(
    url,
    {
      method: question.method ?? 'GET',
      timeout: answerTimeoutMs,
      headers: {
        accept: question.accept ?? 'text/plain',
        ...(question.body === undefined
          ? {}
          : { 'content-type': question.body.type, ...question.body.headers }),
      },
    },
    (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('error', reject);
      incoming.on('end', () => {
        resolve({
          status: incoming.statusCode ?? 0,
          headers: incoming.headers,
          body: Buffer.concat(chunks).toString('utf8'),
        });
      });
    },
  );
  outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer within ${answerTimeoutMs / 1000} s`)));
  outgoing.on('error', reject);
  outgoing.end(question.body?.content);
  try {
    return await promise;
  } catch (error) {
    throw new CommandFailure(unreachable(server, error as NodeJS.ErrnoException));
  }
}

function unreachable(server: string, error: NodeJS.ErrnoException): string {
  const reason = error.code === 'ECONNREFUSED' ? 'nobody listens there' : error.message || String(error.code);
  return `no answer from ${server}: ${reason}. Start a server with \`taba up\`, or name one with --server or TABA_SERVER`;
}

// Promise.withResolvers is not in Node 20.
function settlement<T>(): { promise: Promise<T>; resolve(value: T): void; reject(error: unknown): void } {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}

/** The media type that --json and --detail ask for. */
export function acceptOf(args: Arguments): string {
  if (args.isOn('detail')) return 'application/json-detailed';
  return args.isOn('json') ? 'application/json' : 'text/plain';
}

/** @throws CommandFailure with the server's own words, and what the catalogue says can be done */
export function expectSuccess(reply: Reply): Reply {
  if (reply.status >= 200 && reply.status < 300) return reply;
  const { code, message } = faultOf(reply);
  throw new CommandFailure(explainFault(code, message));
}

export function explainFault(code: string, message: string): string {
  const row = Object.hasOwn(errorCatalogue, code) ? errorCatalogue[code as ErrorCode] : undefined;
  return row === undefined ? `${code}: ${message}` : `${message} (${code}). ${row.remedy}`;
}

/** Code and message of an answer that is an error. */
export function faultOf(reply: Reply): { code: string; message: string } {
  try {
    const { error } = JSON.parse(reply.body) as { error?: { code?: unknown; message?: unknown } };
    if (typeof error?.code === 'string') return { code: error.code, message: String(error.message) };
  } catch {
    // Not one of ours: a proxy in between, or another service on the port.
  }
  return { code: `HTTP ${reply.status}`, message: reply.body.slice(0, 200).trim() || 'an empty answer' };
}

/** Asks, and prints what the server says. */
export async function askAndPrint(
  args: Arguments,
  io: Io,
  question: Omit<Question, 'accept'>,
): Promise<ExitCode> {
  const reply = expectSuccess(await ask(serverOf(args, io.env), { ...question, accept: acceptOf(args) }));
  print(io, reply.body);
  return 0;
}

export function print(io: Io, text: string): void {
  if (text !== '') io.out(text.endsWith('\n') ? text : `${text}\n`);
}

/** The parameters that select tabs and clients. */
export function selection(args: Arguments): Readonly<Record<string, string | undefined>> {
  const names = args.positionals;
  if (args.isOn('re') && names.length > 1) {
    throw new UsageError(
      `--re takes one expression, not ${names.length}: join them as in (${names.join('|')})`,
    );
  }
  return {
    name: names.length === 0 ? undefined : names.join(','),
    client: args.text('client'),
    re: args.isOn('re') ? 'true' : undefined,
  };
}

import type { AnswerForm, Question, ReaderRoute, Selection } from '../client/reader.js';
import type { Arguments, Option } from './command.js';
import type { ExitCode, Io } from './io.js';
import { nodeUrl } from './settings/kinds.js';
import { DoneInPart, UsageError } from './usage-error.js';

export const defaultServer = 'http://127.0.0.1:8300';

/** Flags of every command that asks a server. */
export const askOptions = {
  server: { placeholder: 'URL', description: `server to ask, else TABA_SERVER [${defaultServer}]` },
  json: { placeholder: '', description: 'answer for programs' },
} as const satisfies Record<string, Option>;

/** Flags of commands that look at what the cluster holds. */
export const lookOptions = {
  ...askOptions,
  partial: {
    placeholder: '',
    description: 'answer for the buckets that are served, where some are not, instead of failing',
  },
} as const satisfies Record<string, Option>;

/** Flags of commands that work on tabs. */
export const workOptions = {
  ...askOptions,
  re: {
    placeholder: '',
    description: 'names are regular expressions (RE2), matched from the beginning of a name',
  },
} as const satisfies Record<string, Option>;

/** Flags of commands that look at tabs. */
export const selectOptions = {
  ...lookOptions,
  re: workOptions.re,
} as const satisfies Record<string, Option>;

/** Flags of commands that show States. */
export const showOptions = {
  ...selectOptions,
  client: { placeholder: 'ID', description: 'only this client; several are separated by commas' },
  detail: { placeholder: '', description: 'everything that is known, as JSON' },
} as const satisfies Record<string, Option>;

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

/** What --json and --detail ask for. */
function formOf(args: Arguments): AnswerForm {
  if (args.isOn('detail')) return 'detailed';
  return args.isOn('json') ? 'json' : 'text';
}

/** What a server answers, in the form that the flags ask for. @throws CommandFailure saying what to do */
export async function ask(
  args: Arguments,
  io: Io,
  route: ReaderRoute,
  question: Question = {},
): Promise<string> {
  const { reach } = await import('./reach.js');
  const form = formOf(args);
  return reach(serverOf(args, io.env), route, {
    ...{ form, partial: args.isOn('partial'), ...question },
    // The text for people says so itself.
    onMissing: (buckets) => {
      if (form !== 'text') io.err(`taba: nothing of buckets ${buckets} is in this answer\n`);
    },
  });
}

/** Asks, and prints what the server says. */
export async function askAndPrint(
  args: Arguments,
  io: Io,
  route: ReaderRoute,
  question: Question = {},
): Promise<ExitCode> {
  print(io, await ask(args, io, route, question));
  return 0;
}

/** As askAndPrint, for what may take long: says so on a terminal. @param doing such as `checking every State` */
export async function workAndPrint(
  args: Arguments,
  io: Io,
  doing: string,
  route: ReaderRoute,
  question: Question = {},
): Promise<ExitCode> {
  const { whileShowing } = await import('./progress.js');
  try {
    print(io, await whileShowing(io, doing, ask(args, io, route, question)));
    return 0;
  } catch (error) {
    if (error instanceof DoneInPart) print(io, shown(error.done, formOf(args)));
    throw error;
  }
}

/** What was done, as the server would have answered. */
function shown(done: DoneInPart['done'], form: AnswerForm): string {
  if (form !== 'text') return JSON.stringify(done);
  return Object.entries(done)
    .map(([name, value]) => `${name}: ${typeof value === 'object' ? JSON.stringify(value) : value}`)
    .join('\n');
}

export function print(io: Io, text: string): void {
  if (text !== '') io.out(text.endsWith('\n') ? text : `${text}\n`);
}

/** Which tabs and clients the command line selects. */
export function selection(args: Arguments): Selection {
  const client = args.text('client');
  return {
    ...(args.positionals.length > 0 && { names: args.positionals }),
    ...(client !== undefined && { clients: [client] }),
    re: args.isOn('re'),
  };
}

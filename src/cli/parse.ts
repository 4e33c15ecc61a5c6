import yargs, { type Argv } from 'yargs';
import { Arguments, type Command } from './command.js';
import { commands } from './commands.js';
import { commandHelp, generalHelp } from './help.js';
import { didYouMean } from './nearest.js';
import { optionsOf } from './options.js';
import { settings } from './settings/table.js';
import { UsageError } from './usage-error.js';

/** The command and what it was given, or the help text that was asked for. @throws UsageError */
export function parse(
  args: readonly string[],
  columns: number,
): { command: Command; args: Arguments } | string {
  const parser = yargs()
    .scriptName('taba')
    .locale('en')
    .version(false)
    .help(false)
    .option('help', { type: 'boolean', alias: 'h' })
    .parserConfiguration({
      'parse-numbers': false,
      'parse-positional-numbers': false,
      'camel-case-expansion': false,
      'dot-notation': false,
    })
    .strict()
    .exitProcess(false)
    .showHelpOnFail(false);
  for (const command of commands) {
    const usage = command.positionals === '' ? command.name : `${command.name} ${command.positionals}`;
    parser.command(usage, command.summary, (builder) => declare(builder, command));
  }

  let result: { command: Command; args: Arguments } | string | undefined;
  parser.parse(
    plainAfterDashes(args),
    {},
    (error: Error | null | undefined, argv: Record<string, unknown>) => {
      const [name] = argv._ as string[];
      const command = commands.find((candidate) => candidate.name === name);
      if (argv.help === true && (name === undefined || command !== undefined)) {
        result = command === undefined ? generalHelp(commands, columns) : commandHelp(command, columns);
        return;
      }
      if (error) throw new UsageError(explain(error.message, args, command, name));
      if (command === undefined) throw new UsageError('say what to do: taba --help lists the commands');
      result = { command, args: toArguments(argv, command) };
    },
  );
  if (result === undefined) throw new Error('the command line was not parsed');
  return result;
}

/** Begins a word that is no flag whatever it looks like; no word of a real command line can have it. */
const plainMark = '\0';

/** What follows `--` is positional: yargs would leave it out of the positionals that a command declares. */
function plainAfterDashes(args: readonly string[]): string[] {
  const end = args.indexOf('--');
  return end < 0
    ? [...args]
    : [...args.slice(0, end), ...args.slice(end + 1).map((word) => plainMark + word)];
}

function declare(builder: Argv, command: Command): Argv {
  for (const { name } of positionalsOf(command)) builder.positional(name, { type: 'string' });
  for (const [name, { placeholder }] of Object.entries(optionsOf(command))) {
    builder.option(
      name,
      placeholder === '' ? { type: 'boolean' } : { type: 'string', nargs: 1, requiresArg: true },
    );
  }
  return builder;
}

function positionalsOf(command: Command): { name: string; many: boolean }[] {
  return [...command.positionals.matchAll(/[<[]([a-z]+)(\.\.)?[>\]]/g)].map(([, name, many]) => ({
    name: name!,
    many: many !== undefined,
  }));
}

function toArguments(argv: Record<string, unknown>, command: Command): Arguments {
  const positionals = positionalsOf(command).flatMap(({ name }) => texts(argv[name]));
  const flags = new Map<string, readonly string[]>();
  for (const [name, row] of Object.entries(optionsOf(command))) {
    const values = texts(argv[name]);
    if (values.length === 0) continue;
    if (values.length > 1 && row.placeholder !== '' && row.many !== true && !isManySetting(command, name)) {
      throw new UsageError(`--${name} is given ${values.length} times`);
    }
    flags.set(name, values);
  }
  return new Arguments(positionals, flags);
}

function isManySetting(command: Command, name: string): boolean {
  return (
    command.daemon !== undefined && name in settings && settings[name as keyof typeof settings].kind.many
  );
}

function texts(value: unknown): string[] {
  return value === undefined
    ? []
    : (Array.isArray(value) ? value : [value]).map((item) => String(item).replace(plainMark, ''));
}

/** Turns what yargs complains about into something to act on. */
function explain(
  message: string,
  args: readonly string[],
  command: Command | undefined,
  name: string | undefined,
): string {
  const unknown = /^Unknown (argument|command)s?: (.*)$/.exec(message);
  if (unknown === null) {
    const isMissing = message.startsWith('Not enough non-option arguments') && command !== undefined;
    return isMissing
      ? `taba ${command.name} needs ${command.positionals}; taba ${command.name} --help shows how`
      : message.replaceAll('\n', ' ');
  }
  const [word = ''] = unknown[2]!.split(', ');
  if (command === undefined) {
    return `${name ?? word}: no such command${didYouMean(
      name ?? word,
      commands.map((candidate) => candidate.name),
    )}; taba --help lists them`;
  }
  const flag = args.find((text) => text.startsWith('-') && text.replace(/^-+/, '').split('=')[0] === word);
  if (flag === undefined)
    return `${word.replace(plainMark, '')}: taba ${command.name} takes no such argument; taba ${command.name} --help shows what it takes`;
  const flags = Object.keys(optionsOf(command)).map((name) => `--${name}`);
  return `${flag.split('=')[0]}: taba ${command.name} has no such flag${didYouMean(`--${word}`, flags)}`;
}

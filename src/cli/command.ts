import type { ExitCode, Io } from './io.js';
import type { Daemon } from './settings/table.js';

/** A flag of one command that is not a setting. */
export interface Option {
  /** Stands for the value in the help; empty for a flag that is on or off. */
  readonly placeholder: string;
  readonly description: string;
  readonly many?: true;
}

/** What a command was given: texts only, nothing coerced. */
export class Arguments {
  readonly positionals: readonly string[];
  /** Flags by name; on-or-off flags have the text `true` or `false`. */
  readonly flags: ReadonlyMap<string, readonly string[]>;

  constructor(positionals: readonly string[], flags: ReadonlyMap<string, readonly string[]>) {
    this.positionals = positionals;
    this.flags = flags;
  }

  isOn(flag: string): boolean {
    return this.flags.get(flag)?.at(-1) === 'true';
  }

  text(flag: string): string | undefined {
    return this.flags.get(flag)?.at(-1);
  }
}

/** One command: a row of the table in commands.ts. `run` loads what it needs by itself. */
export interface Command {
  readonly name: string;
  /** As the usage line shows it: `<names..>`, `[name] [value]`; empty for none. */
  readonly positionals: string;
  readonly summary: string;
  /** What the help says below the usage, where the summary is not enough. */
  readonly details?: string;
  /** Command lines that work, each with what it does. */
  readonly examples: readonly (readonly [line: string, meaning: string])[];
  readonly options: Readonly<Record<string, Option>>;
  /** Takes the settings of this daemon as flags. */
  readonly daemon?: Daemon;
  run(args: Arguments, io: Io): Promise<ExitCode>;
}

import type { Command, Option } from './command.js';
import { optionsOf } from './options.js';

/** Every flag that all commands have. */
const everyCommand: Readonly<Record<string, Option>> = {
  help: { placeholder: '', description: 'show this' },
};

const indent = '  ';
const gap = '  ';

export function generalHelp(commands: readonly Command[], columns: number): string {
  return `taba <command>

Event aggregation in near real time: rolling counts, totals and percentiles over a whole cluster.

Commands:
${table(
  commands.map((command) => [usageOf(command), command.summary] as const),
  columns,
)}

taba --version shows the version. taba COMMAND --help shows the flags of a command, with examples.
First steps: taba up; then, in another terminal: taba record bids_won; taba agg bids_won.`;
}

export function commandHelp(command: Command, columns: number): string {
  const flags = Object.entries({ ...optionsOf(command), ...everyCommand });
  const rows = flags.map(
    ([name, { placeholder, description }]) => [`--${name} ${placeholder}`.trimEnd(), description] as const,
  );
  const sections = [
    `taba ${usageOf(command)}`,
    wrap(command.details ?? `${command.summary}.`, columns).join('\n'),
    `Flags:\n${table(rows, columns)}`,
    `Examples:\n${command.examples.map(([line, meaning]) => `${indent}${line}\n${indent}${indent}${meaning}`).join('\n')}`,
  ];
  if (command.daemon !== undefined) {
    sections.push(
      wrap(
        'Every flag is also a variable (--max-tabs: TABA_MAX_TABS) and a key of the settings file ("max-tabs"). Flags win over variables, variables over the file. On-or-off flags are switched off with --no-…',
        columns,
      ).join('\n'),
    );
  }
  return sections.join('\n\n');
}

function usageOf(command: Command): string {
  return command.positionals === '' ? command.name : `${command.name} ${command.positionals}`;
}

/** Two columns; the left one is as wide as it needs to be, within half of the line. */
function table(rows: readonly (readonly [left: string, right: string])[], columns: number): string {
  const widest = Math.max(...rows.map(([left]) => left.length));
  const width = Math.min(widest, Math.floor(columns / 2));
  return rows
    .flatMap(([left, right]) => {
      const lines = wrap(right, Math.max(20, columns - indent.length - width - gap.length));
      const margin = indent + ' '.repeat(width) + gap;
      const first =
        left.length <= width ? `${indent}${left.padEnd(width)}${gap}${lines.shift() ?? ''}` : indent + left;
      return [first, ...lines.map((line) => margin + line)];
    })
    .join('\n');
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

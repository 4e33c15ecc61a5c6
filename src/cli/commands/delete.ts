import { ask, selection, workAndPrint, workOptions } from '../ask.js';
import type { Command } from '../command.js';
import { confirm } from '../confirm.js';
import { CommandFailure } from '../usage-error.js';

export const deleteTabs: Command = {
  name: 'delete',
  positionals: '<names..>',
  summary: 'Delete tabs, with everything that was counted',
  details:
    'Shows which tabs it would delete; deletes them when --yes is given, or when a person at a terminal says yes.',
  examples: [
    ['taba delete old_counter', 'show it, then ask'],
    ["taba delete --re 'test_.*' --yes", 'without asking'],
  ],
  options: {
    ...workOptions,
    yes: { placeholder: '', description: 'delete without asking' },
  },
  async run(args, io) {
    const selected = selection(args);
    const names = JSON.parse(await ask(args, io, '/names', { ...selected, form: 'json' })) as string[];
    if (names.length === 0) throw new CommandFailure(`no tab matches ${args.positionals.join(' ')}`);
    if (!args.isOn('json')) io.err(`${names.map((name) => `  ${name}`).join('\n')}\n`);
    if (
      !(await confirm(args, io, `Delete ${names.length === 1 ? 'this tab' : `these ${names.length} tabs`}?`))
    )
      return 1;
    return workAndPrint(args, io, 'deleting', '/delete', selected);
  },
};

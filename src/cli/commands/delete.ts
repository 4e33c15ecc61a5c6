import { acceptOf, ask, expectSuccess, print, selection, selectOptions, serverOf } from '../ask.js';
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
    ...selectOptions,
    yes: { placeholder: '', description: 'delete without asking' },
  },
  async run(args, io) {
    const server = serverOf(args, io.env);
    const parameters = selection(args);
    const listed = expectSuccess(
      await ask(server, { path: '/names', parameters, accept: 'application/json' }),
    );
    const names = JSON.parse(listed.body) as string[];
    if (names.length === 0) throw new CommandFailure(`no tab matches ${args.positionals.join(' ')}`);
    if (!args.isOn('json')) io.err(`${names.map((name) => `  ${name}`).join('\n')}\n`);
    if (
      !(await confirm(args, io, `Delete ${names.length === 1 ? 'this tab' : `these ${names.length} tabs`}?`))
    )
      return 1;
    const reply = await ask(server, { path: '/delete', method: 'POST', parameters, accept: acceptOf(args) });
    print(io, expectSuccess(reply).body);
    return 0;
  },
};

import type { Command, Option } from './command.js';
import { settings, settingsOf } from './settings/table.js';

/** The flags of a command, settings first. */
export function optionsOf(command: Command): Readonly<Record<string, Option>> {
  const rows: Record<string, Option> = {};
  if (command.daemon !== undefined) {
    for (const name of settingsOf(command.daemon)) {
      const { kind, description, default: fallback, defaultOf } = settings[name] as (typeof settings)['host'];
      const value = defaultOf?.[command.daemon] ?? fallback;
      const shownDefault = value === undefined ? '' : ` [${kind.show(value)}]`;
      rows[name] = { placeholder: kind.placeholder, description: description + shownDefault };
    }
    rows.config = { placeholder: 'FILE', description: 'settings file (JSON), with these names as keys' };
  }
  return { ...rows, ...command.options };
}

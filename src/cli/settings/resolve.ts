import { UsageError } from '../usage-error.js';
import { readEnvironment, variableOf } from './environment.js';
import { readSettingsFile } from './file.js';
import { withImplied } from './implied.js';
import { holdsSecret, type Kind, redact } from './kinds.js';
import { checkRules } from './rules.js';
import {
  type Daemon,
  type Setting,
  type SettingName,
  type SettingValues,
  settingNames,
  settings,
  settingsOf,
} from './table.js';

export interface SettingSources {
  /** What the command line said, by the name of the flag. */
  readonly flags: ReadonlyMap<string, readonly string[]>;
  readonly env: NodeJS.ProcessEnv;
  /** Where relative paths of flags and variables begin. */
  readonly folder: string;
}

/** Something to log once at start. */
export interface Note {
  readonly event: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface Resolved {
  readonly values: SettingValues;
  /** Which settings were given, and by what. */
  readonly given: ReadonlyMap<SettingName, 'flag' | 'environment' | 'file'>;
  readonly notes: readonly Note[];
}

/**
 * The settings of one daemon: flag, then environment, then file, then default.
 * @throws UsageError naming the setting, its value and what would be right
 */
export function resolveSettings(daemon: Daemon, sources: SettingSources): Resolved {
  const { flags, folder } = sources;
  const environment = readEnvironment(sources.env);
  const config = flags.get('config')?.at(-1) ?? environment.config;
  const file = config === undefined ? undefined : readSettingsFile(config, daemon, folder);
  const given = new Map<SettingName, 'flag' | 'environment' | 'file'>();
  const values: Partial<Record<SettingName, unknown>> = {};

  const used = new Set(settingsOf(daemon));
  for (const name of settingNames) {
    // Settings of other daemons keep their defaults: the types stay simple, and nobody reads them.
    const row = settings[name] as Setting;
    values[name] = row.defaultOf?.[daemon] ?? defaultValue(row, folder);
    if (!used.has(name)) continue;
    const { kind } = row;
    const flag = flags.get(name);
    const variable = environment.texts.get(name);
    if (flag !== undefined) {
      if (flag.length > 1 && !kind.many) throw new UsageError(`--${name} is given ${flag.length} times`);
      values[name] = checked(kind, kind.fromTexts(flag, folder), `--${name}`, JSON.stringify(flag.join(' ')));
      given.set(name, 'flag');
    } else if (variable !== undefined) {
      values[name] = checked(
        kind,
        kind.fromTexts(variable, folder),
        variableOf(name),
        JSON.stringify(variable.join(' ')),
      );
      given.set(name, 'environment');
    } else if (file?.values.has(name)) {
      const value = file.values.get(name);
      values[name] = checked(
        kind,
        kind.fromJson(value, file.folder),
        file.place(name),
        JSON.stringify(value),
      );
      given.set(name, 'file');
    }
  }
  const isGiven = (name: SettingName) => given.has(name);
  const resolved = withImplied(values as unknown as SettingValues, isGiven);
  checkRules(daemon, resolved, isGiven);

  const notes: Note[] = [];
  for (const name of settingNames) {
    const { kind } = settings[name] as Setting;
    if (given.get(name) !== 'flag' || !flags.get(name)?.some((text) => holdsSecret(kind, text))) continue;
    notes.push({
      event: 'secret_on_command_line',
      fields: {
        setting: name,
        hint: `every user of this host can read it there: use ${variableOf(name)} or a file`,
      },
    });
  }
  if (environment.injected.length > 0) {
    notes.push({
      event: 'environment_ignored',
      fields: {
        variables: environment.injected,
        reason: 'injected by Kubernetes for services, not settings of Taba',
      },
    });
  }
  for (const { key, reason } of file?.withoutEffect ?? []) {
    notes.push({ event: 'setting_without_effect', fields: { key, reason } });
  }
  for (const { name, value, reason } of file?.assumed ?? []) {
    if (given.get(name) !== 'file') continue;
    notes.push({ event: 'setting_assumed', fields: { setting: name, value, reason } });
  }
  return { values: resolved, given, notes };
}

function checked<T>(kind: Kind<T>, value: T | undefined, place: string, written: string): T {
  if (value === undefined) {
    const value = kind.secret === true ? 'what is given' : redact(written);
    throw new UsageError(`${place}: ${value} is wrong: it takes ${kind.takes}`);
  }
  return value;
}

/** Defaults that are paths begin at the present folder, as flags do. */
function defaultValue(row: Setting, folder: string): unknown {
  return row.kind.placeholder === 'DIR' && typeof row.default === 'string'
    ? row.kind.fromTexts([row.default], folder)
    : row.default;
}

import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { didYouMean } from '../nearest.js';
import { UsageError } from '../usage-error.js';
import { type Assumption, isFirstTaba, translateFirstTaba } from './first-taba.js';
import { type Daemon, type SettingName, settings, settingsOf } from './table.js';

export interface FromFile {
  /** JSON values, not yet checked against the kinds. */
  readonly values: ReadonlyMap<SettingName, unknown>;
  /** How an error names the place of a setting. */
  place(name: SettingName): string;
  /** Relative paths begin here. */
  readonly folder: string;
  readonly withoutEffect: readonly { readonly key: string; readonly reason: string }[];
  readonly assumed: readonly Assumption[];
}

/** Reads a JSON settings file, today's or the first Taba's. @throws UsageError for whatever is wrong with it */
export function readSettingsFile(path: string, daemon: Daemon, folder: string): FromFile {
  const file = resolve(folder, path);
  const content = parse(file, path);
  const home = dirname(file);
  if (isFirstTaba(content)) {
    const { values, keys, withoutEffect, assumed } = translateFirstTaba(content, daemon, path);
    return {
      values,
      folder: home,
      withoutEffect,
      assumed,
      place: (name) => `${path}: ${keys.get(name) ?? name}`,
    };
  }
  const allowed = new Set<string>(settingsOf(daemon));
  const values = new Map<SettingName, unknown>();
  for (const [key, value] of Object.entries(content)) {
    if (!allowed.has(key)) throw new UsageError(`${path}: "${key}": ${reasonAgainst(key, daemon, allowed)}`);
    values.set(key as SettingName, value);
  }
  return { values, folder: home, withoutEffect: [], assumed: [], place: (name) => `${path}: "${name}"` };
}

function reasonAgainst(key: string, daemon: Daemon, allowed: ReadonlySet<string>): string {
  if (Object.hasOwn(settings, key)) {
    return `a setting of ${settings[key as SettingName].of.join(' and ')}, not of ${daemon}`;
  }
  return `no such setting${didYouMean(key, allowed)}`;
}

function parse(file: string, path: string): Readonly<Record<string, unknown>> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`--config: cannot read ${path}: ${(error as Error).message}`);
  }
  let content: unknown;
  try {
    content = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw new UsageError(`${path}: not JSON: ${(error as Error).message}`);
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw new UsageError(`${path}: a settings file is one JSON object`);
  }
  return content as Readonly<Record<string, unknown>>;
}

import type { Daemon, SettingName, SettingValues } from './table.js';

/** What settings say together that single values cannot. */
export interface Rule {
  readonly of: readonly Daemon[];
  /** The fault, naming both values; undefined when all is well. */
  fault(values: SettingValues, isGiven: (name: SettingName) => boolean): string | undefined;
}

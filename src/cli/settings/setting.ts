import type { Kind } from './kinds.js';

/** The commands that run until they are told to stop, and therefore have settings. */
export const daemons = ['agent', 'server', 'up'] as const;
export type Daemon = (typeof daemons)[number];

/** One row of the table: everything that is known about a setting, in one place. */
export interface Setting<T = unknown> {
  readonly kind: Kind<T>;
  readonly of: readonly Daemon[];
  /** undefined: the setting is off, or worked out from others; the description says which. */
  readonly default: T | undefined;
  /** Where one daemon's default differs. */
  readonly defaultOf?: Partial<Record<Daemon, T>>;
  readonly description: string;
}

export function setting<T>(row: Setting<T>): Setting<T> {
  return row;
}

/** A setting that may stay without a value. */
export function optional<T>(row: Omit<Setting<T>, 'default'>): Setting<T | undefined> {
  return { ...row, default: undefined } as Setting<T | undefined>;
}

export const everywhere = daemons;
export const servers = ['server', 'up'] as const;
export const agents = ['agent', 'up'] as const;

export const MiB = 2 ** 20;
export const secondMs = 1000;
export const hourMs = 3_600_000;
export const dayMs = 24 * hourMs;

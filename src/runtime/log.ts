/** Structured logging: an event name and fields, never prose. Field names say their unit. */
export interface Log {
  debug(event: string, fields?: Readonly<Record<string, unknown>>): void;
  info(event: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(event: string, fields?: Readonly<Record<string, unknown>>): void;
  error(event: string, fields?: Readonly<Record<string, unknown>>): void;
  /** The same log, with `fields` in every line. */
  with(fields: Readonly<Record<string, unknown>>): Log;
}

import type { Log } from '../../src/runtime/log.js';

/** A log that a test reads. */
export class RecordingLog implements Log {
  readonly lines: {
    readonly level: string;
    readonly event: string;
    readonly fields: Readonly<Record<string, unknown>>;
  }[] = [];

  debug(event: string, fields: Readonly<Record<string, unknown>> = {}): void {
    this.lines.push({ level: 'debug', event, fields });
  }

  info(event: string, fields: Readonly<Record<string, unknown>> = {}): void {
    this.lines.push({ level: 'info', event, fields });
  }

  warn(event: string, fields: Readonly<Record<string, unknown>> = {}): void {
    this.lines.push({ level: 'warn', event, fields });
  }

  error(event: string, fields: Readonly<Record<string, unknown>> = {}): void {
    this.lines.push({ level: 'error', event, fields });
  }

  with(): Log {
    return this;
  }

  count(event: string): number {
    return this.lines.filter((line) => line.event === event).length;
  }
}

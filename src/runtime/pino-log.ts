import pino from 'pino';
import type { Log } from './log.js';
import { prettyLine } from './pretty-line.js';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

export interface LogOptions {
  readonly level: LogLevel;
  /** `json`: one object a line, for programs; `pretty`: for people at a terminal. */
  readonly format: 'json' | 'pretty';
  /** Takes whole lines. Default: standard error, synchronously, so that the last words before an exit are not lost. */
  readonly write?: (text: string) => void;
  /** Colours in pretty lines. Default: whether standard error is a terminal. */
  readonly colours?: boolean;
}

/** Fields whose content is nobody's business; URLs lose their user and password wherever they stand. */
const secretName = /pass(word|phrase)?$|secret|token$|authorization|credential|api_?key|private_?key/i;
const urlCredentials = /\b([a-z][a-z0-9+.-]*:\/\/)[^\s/]+@/gi;
/** What is nested deeper than this is not logged. */
const maxDepth = 6;

/** A log over pino: `time` (ms UTC), `level`, `event`, then the fields. */
export function createLog(options: LogOptions): Log {
  const write = options.write;
  const destination = write === undefined ? pino.destination({ fd: 2, sync: true }) : { write };
  const colours = options.colours ?? process.stderr.isTTY === true;
  const stream =
    options.format === 'json'
      ? destination
      : { write: (line: string) => void destination.write(prettyLine(line, colours)) };
  const logger = pino(
    {
      level: options.level,
      base: null,
      messageKey: 'event',
      formatters: { level: (label) => ({ level: label }) },
    },
    stream,
  );
  return new PinoLog(logger, {});
}

class PinoLog implements Log {
  readonly #logger: pino.Logger;
  readonly #fields: Readonly<Record<string, unknown>>;

  constructor(logger: pino.Logger, fields: Readonly<Record<string, unknown>>) {
    this.#logger = logger;
    this.#fields = fields;
  }

  debug(event: string, fields?: Readonly<Record<string, unknown>>): void {
    this.#write('debug', event, fields);
  }

  info(event: string, fields?: Readonly<Record<string, unknown>>): void {
    this.#write('info', event, fields);
  }

  warn(event: string, fields?: Readonly<Record<string, unknown>>): void {
    this.#write('warn', event, fields);
  }

  error(event: string, fields?: Readonly<Record<string, unknown>>): void {
    this.#write('error', event, fields);
  }

  with(fields: Readonly<Record<string, unknown>>): Log {
    return new PinoLog(this.#logger, { ...this.#fields, ...fields });
  }

  #write(
    level: Exclude<LogLevel, 'silent'>,
    event: string,
    fields?: Readonly<Record<string, unknown>>,
  ): void {
    if (!this.#logger.isLevelEnabled(level)) return;
    this.#logger[level](withoutSecrets({ ...this.#fields, ...fields }), event);
  }
}

function withoutSecrets(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return clean(fields, 0) as Record<string, unknown>;
}

/** A copy without secrets, of plain data; errors become their name, message and stack, bytes their length. */
function clean(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return value.replace(urlCredentials, '$1***@');
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= maxDepth) return '…';
  if (value instanceof Error) return cleanError(value, depth);
  if (ArrayBuffer.isView(value)) return `${value.byteLength} bytes`;
  if (value instanceof URL || value instanceof Date) return clean(String(value), depth);
  if (Array.isArray(value)) return value.map((item) => clean(item, depth + 1));
  const copy: Record<string, unknown> = {};
  const entries = value instanceof Map ? value : Object.entries(value);
  for (const [name, field] of entries) {
    copy[String(name)] = secretName.test(String(name)) ? '***' : clean(field, depth + 1);
  }
  return copy;
}

function cleanError(error: Error, depth: number): Record<string, unknown> {
  const { name, message, stack, cause } = error;
  return {
    ...(clean({ ...error }, depth + 1) as Record<string, unknown>),
    name,
    message: clean(message, depth),
    stack: clean(stack, depth),
    ...(cause === undefined ? {} : { cause: clean(cause, depth + 1) }),
  };
}

import { isAbsolute, resolve } from 'node:path';
import type { BucketRange } from '../../core/buckets.js';

/**
 * How the value of a setting is written, as text (flag, environment) and as JSON (settings file). Nothing is coerced:
 * a text that is not wholly a number is not a number, and a JSON string is none either.
 */
export interface Kind<T> {
  /** Stands for the value in the help: `--port PORT`. Empty for flags without a value. */
  readonly placeholder: string;
  /** What would be right; completes "is wrong: it takes …". */
  readonly takes: string;
  /** Whether a flag may be given several times; `fromTexts` then gets all of them. */
  readonly many: boolean;
  /** undefined: not a value of this kind. `folder` is where relative paths begin. */
  fromTexts(texts: readonly string[], folder: string): T | undefined;
  fromJson(value: unknown, folder: string): T | undefined;
  /** The value as a person would write it, for messages, the help and docs/configuration.md. */
  show(value: T): string;
  /** Nobody may see it: what was written stays out of messages. */
  readonly secret?: true;
}

interface OneValue<T> {
  readonly placeholder: string;
  readonly takes: string;
  readonly read: (text: string, folder: string) => T | undefined;
  /** Default: JSON strings are read as text. */
  readonly readJson?: (value: unknown, folder: string) => T | undefined;
  readonly show?: (value: T) => string;
}

function one<T>(of: OneValue<T>): Kind<T> {
  const { placeholder, takes, read, readJson, show = String } = of;
  return {
    placeholder,
    takes,
    many: false,
    show,
    fromTexts: ([text], folder) => (text === undefined ? undefined : read(text, folder)),
    fromJson: readJson ?? ((value, folder) => (typeof value === 'string' ? read(value, folder) : undefined)),
  };
}

/** Several values of `kind`: repeated flags, or one text with `separator` between them. */
export function list<T>(kind: Kind<T>, separator: ',' | 'none' = ','): Kind<readonly T[]> {
  return {
    placeholder: kind.placeholder,
    takes: `${kind.takes}; several are ${separator === 'none' ? '' : 'separated by commas, or '}given by repeating the flag`,
    many: true,
    show: (values) => values.map((value) => kind.show(value)).join(separator === 'none' ? ' ' : separator),
    fromTexts: (texts, folder) =>
      all(
        texts.flatMap((text) =>
          separator === 'none' ? [text] : text.split(separator).map((part) => part.trim()),
        ),
        (text) => kind.fromTexts([text], folder),
      ),
    fromJson: (value, folder) =>
      Array.isArray(value) ? all(value, (item) => kind.fromJson(item, folder)) : undefined,
  };
}

function all<A, B>(items: readonly A[], read: (item: A) => B | undefined): readonly B[] | undefined {
  const values = items.map(read);
  return values.length > 0 && values.every((value) => value !== undefined) ? (values as B[]) : undefined;
}

const wholeNumber = /^\d{1,16}$/;

export function integer(minimum: number, maximum: number, placeholder = 'N'): Kind<number> {
  const within = (value: number): number | undefined =>
    Number.isSafeInteger(value) && value >= minimum && value <= maximum ? value : undefined;
  return one({
    placeholder,
    takes: `a whole number from ${minimum} to ${maximum}`,
    read: (text) => (wholeNumber.test(text) ? within(Number(text)) : undefined),
    readJson: (value) => (typeof value === 'number' ? within(value) : undefined),
  });
}

export const port: Kind<number> = {
  ...integer(0, 65_535, 'PORT'),
  takes: 'a port from 0 to 65535 (0 picks a free one)',
};

const msOf = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** A length of time, kept in milliseconds: a plain number is milliseconds, or `250ms`, `10s`, `5m`, `48h`, `7d`. */
export function duration(minimumMs: number, maximumMs: number): Kind<number> {
  const within = (ms: number): number | undefined => (ms >= minimumMs && ms <= maximumMs ? ms : undefined);
  return one({
    placeholder: 'MS',
    takes: `a time from ${showDuration(minimumMs)} to ${showDuration(maximumMs)}: milliseconds, or with a unit as in 250ms, 10s, 5m, 48h, 7d`,
    read: (text) => {
      const match = /^(\d{1,15})(ms|s|m|h|d)?$/.exec(text);
      if (match === null) return undefined;
      return within(Number(match[1]) * msOf[(match[2] ?? 'ms') as keyof typeof msOf]);
    },
    readJson: (value) => {
      if (typeof value === 'number' && Number.isSafeInteger(value)) return within(value);
      return typeof value === 'string' ? duration(minimumMs, maximumMs).fromTexts([value], '') : undefined;
    },
    show: showDuration,
  });
}

export function showDuration(ms: number): string {
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    if (ms >= msOf[unit] && ms % msOf[unit] === 0) return `${ms / msOf[unit]}${unit}`;
  }
  return `${ms}ms`;
}

const bytesOf = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 } as const;

/** A number of bytes: plain, or `512KiB`, `64MiB`, `1GiB`. */
export function bytes(minimum: number, maximum: number): Kind<number> {
  const within = (value: number): number | undefined =>
    value >= minimum && value <= maximum ? value : undefined;
  return one({
    placeholder: 'BYTES',
    takes: `a size from ${showBytes(minimum)} to ${showBytes(maximum)}: bytes, or with a unit as in 512KiB, 64MiB, 1GiB`,
    read: (text) => {
      const match = /^(\d{1,15})(KiB|MiB|GiB)?$/.exec(text);
      if (match === null) return undefined;
      return within(
        Number(match[1]) * (match[2] === undefined ? 1 : bytesOf[match[2] as keyof typeof bytesOf]),
      );
    },
    readJson: (value) => {
      if (typeof value === 'number' && Number.isSafeInteger(value)) return within(value);
      return typeof value === 'string' ? bytes(minimum, maximum).fromTexts([value], '') : undefined;
    },
    show: showBytes,
  });
}

function showBytes(count: number): string {
  for (const unit of ['GiB', 'MiB', 'KiB'] as const) {
    if (count >= bytesOf[unit] && count % bytesOf[unit] === 0) return `${count / bytesOf[unit]}${unit}`;
  }
  return String(count);
}

/** On or off: `--flag` and `--no-flag`, or `true` and `false` in the environment and in files. */
export const flag: Kind<boolean> = one({
  placeholder: '',
  takes: 'true or false',
  read: (text) => (text === 'true' ? true : text === 'false' ? false : undefined),
  readJson: (value) => (typeof value === 'boolean' ? value : undefined),
});

export function choice<const C extends string>(...choices: readonly C[]): Kind<C> {
  const last = choices.length - 1;
  return one({
    placeholder: choices.join('|'),
    takes: `one of ${choices.slice(0, last).join(', ')} and ${choices[last]}`,
    read: (text) => choices.find((value) => value === text),
  });
}

/** Any text that is not empty and holds no control characters. */
export function text(placeholder: string, takes: string, matches = /^[^\p{Cc}]+$/u): Kind<string> {
  return one({ placeholder, takes, read: (value) => (matches.test(value) ? value : undefined) });
}

/** A text that messages and logs never show. */
export function secret(placeholder: string): Kind<string> {
  return { ...text(placeholder, 'a text without control characters'), show: () => '***', secret: true };
}

/** A path, made absolute: from the present folder in flags and the environment, from the file's own folder in a settings file. */
export function path(placeholder: 'DIR' | 'FILE'): Kind<string> {
  return one({
    placeholder,
    takes: placeholder === 'DIR' ? 'a folder' : 'a file',
    read: (value, folder) =>
      value === '' || value.includes('\0') ? undefined : isAbsolute(value) ? value : resolve(folder, value),
  });
}

/** Address of a node, as `http://host:port` without a path; `host:port` is taken for it. */
export const nodeUrl: Kind<string> = one({
  placeholder: 'URL',
  takes: 'an address such as http://127.0.0.1:8300',
  read: (value) => {
    const withScheme = value.includes('://') ? value : `http://${value}`;
    if (!/^http:\/\/[^/?#@\s]+\/?$/.test(withScheme) || !URL.canParse(withScheme)) return undefined;
    const url = new URL(withScheme);
    return url.hostname === '' ? undefined : `http://${url.hostname}:${url.port || '80'}`;
  },
});

/** `host:port`, where others reach this node. */
export const hostAndPort: Kind<string> = one({
  placeholder: 'HOST:PORT',
  takes: 'a host and a port, such as taba-0.taba:8300',
  read: (value) => {
    const match = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):(\d{1,5})$/.exec(value);
    return match !== null && Number(match[2]) >= 1 && Number(match[2]) <= 65_535 ? value : undefined;
  },
});

/** Address of a Redis server: `redis://`, or `rediss://` for TLS, with user, password and database as needed. */
export const redisUrl: Kind<string> = one({
  placeholder: 'URL',
  takes: 'an address such as redis://127.0.0.1:6379, redis://user:password@host:6379/0, or rediss:// for TLS',
  read: (value) => {
    if (!/^rediss?:\/\/[^/?#\s]+(\/\d{0,5})?$/.test(value) || !URL.canParse(value)) return undefined;
    return new URL(value).hostname === '' ? undefined : value;
  },
  show: redact,
});

/** Buckets of a shard: `NAME:FIRST-LAST`. */
export const bucketRange: Kind<BucketRange> = one({
  placeholder: 'NAME:FIRST-LAST',
  takes: 'the name of a master and its buckets, such as shard1:0-499',
  read: (value) => {
    const match = /^([A-Za-z0-9_.-]{1,64}):(\d{1,5})-(\d{1,5})$/.exec(value);
    if (match === null) return undefined;
    return { name: match[1]!, first: Number(match[2]), last: Number(match[3]) };
  },
  show: ({ name, first, last }) => `${name}:${first}-${last}`,
});

/** Paths by name: `NAME=FILE`, or an object in a settings file. */
export const namedPaths: Kind<Readonly<Record<string, string>>> = {
  placeholder: 'TYPE=FILE',
  takes:
    'a tab type and the file of its handler, as in MyType=./my-type.cjs; several are given by repeating the flag',
  many: true,
  show: (value) =>
    Object.entries(value)
      .map((entry) => entry.join('='))
      .join(','),
  fromTexts: (texts, folder) => {
    const entries = texts
      .flatMap((value) => value.split(','))
      .map((value) => {
        const at = value.indexOf('=');
        return at > 0 && at < value.length - 1
          ? ([value.slice(0, at), value.slice(at + 1)] as const)
          : undefined;
      });
    return entries.every((entry) => entry !== undefined)
      ? namedPaths.fromJson(Object.fromEntries(entries), folder)
      : undefined;
  },
  fromJson: (value, folder) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    const entries = Object.entries(value);
    if (
      !entries.every(
        ([name, file]) =>
          /^[A-Za-z][A-Za-z0-9_.]{0,63}$/.test(name) && typeof file === 'string' && file !== '',
      )
    ) {
      return undefined;
    }
    return Object.fromEntries(entries.map(([name, file]) => [name, resolve(folder, file as string)]));
  },
};

/** A list whose items whoever uses them checks. */
export const jsonList: Kind<readonly unknown[]> = one<readonly unknown[]>({
  placeholder: 'JSON',
  takes: 'a JSON list',
  read: (value) => {
    try {
      return jsonList.fromJson(JSON.parse(value), '');
    } catch {
      return undefined;
    }
  },
  readJson: (value) => (Array.isArray(value) ? value : undefined),
  show: (value) => JSON.stringify(value),
});

export type Role = 'fe' | 'be' | 'ctrl';

/** Roles of a server, each once. */
export const roles: Kind<readonly Role[]> = (() => {
  const kind = list(choice<Role>('fe', 'be', 'ctrl'));
  const once = (found: readonly Role[] | undefined): readonly Role[] | undefined =>
    found !== undefined && new Set(found).size === found.length ? found : undefined;
  return {
    ...kind,
    placeholder: 'ROLES',
    takes: 'one or more of fe, be and ctrl, separated by commas',
    fromTexts: (texts, folder) => once(kind.fromTexts(texts, folder)),
    fromJson: (value, folder) =>
      once(typeof value === 'string' ? kind.fromTexts([value], folder) : kind.fromJson(value, folder)),
  };
})();

/** A value as an error message may show it: passwords in addresses are left out. */
export function redact(value: string): string {
  return value.replace(/(:\/\/[^:/@\s]*):[^\s]*@/g, '$1:***@');
}

/** Whether a text that was written for a setting holds what nobody may see. */
export function holdsSecret(kind: Kind<unknown>, text: string): boolean {
  return kind.secret === true || redact(text) !== text;
}

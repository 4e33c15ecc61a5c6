import { didYouMean } from '../nearest.js';
import { UsageError } from '../usage-error.js';
import type { Daemon, SettingName } from './table.js';

type Json = Readonly<Record<string, unknown>>;

/** A settings file of the first Taba, said in today's settings. */
export interface Translation {
  readonly values: ReadonlyMap<SettingName, unknown>;
  /** The key of the file that a setting came from, for error messages. */
  readonly keys: ReadonlyMap<SettingName, string>;
  /** Keys that are understood and have no effect any more, with the reason. */
  readonly withoutEffect: readonly { readonly key: string; readonly reason: string }[];
  /** Settings that the file says nothing of, and which follow from its being one of the first Taba's. */
  readonly assumed: readonly Assumption[];
}

export interface Assumption {
  readonly name: SettingName;
  readonly value: unknown;
  readonly reason: string;
}

interface Draft {
  set(name: SettingName, value: unknown): void;
  assume(name: SettingName, value: unknown, reason: string): void;
  noEffect(reason: string): void;
  wrong(right: string): UsageError;
}

type KeyTable = Readonly<Record<string, (value: unknown, draft: Draft) => void>>;

const agentKeys: KeyTable = {
  AGENT_PORT: (value, draft) => draft.set('port', value),
  AGENT_FLUSH_SECONDS: (value, draft) => {
    if (typeof value !== 'number' || !(value > 0)) throw draft.wrong('a number of seconds');
    draft.set('flush-interval', Math.round(value * 1000));
  },
  SERVER_ENDPOINTS: (value, draft) => draft.set('server', endpoints(value, draft)),
  AGENT_QUEUES_PER_SERVER: (value, draft) => draft.set('queues-per-server', value),
  DOUBLE_AGENT: (value, draft) => {
    const right = "an agent's settings again, with SERVER_ENDPOINTS";
    if (value === null) return;
    if (!isObject(value) || !('SERVER_ENDPOINTS' in value)) throw draft.wrong(right);
    const stray = Object.keys(value).find((key) => !(key in agentKeys));
    if (stray !== undefined) throw draft.wrong(`${right}, and without ${stray}`);
    draft.set('mirror', endpoints(value.SERVER_ENDPOINTS, draft));
  },
};

/** The first Taba never waited for replicas, and its example has none: waiting for one would wait for ever. */
const waitUnsaid =
  'the first Taba knew no such setting; with replicas set redis-wait to their number, or a fail-over may lose acknowledged events';

const databaseKeys: KeyTable = {
  USE_MEMORY_DB: (value, draft) => {
    if (typeof value !== 'boolean') throw draft.wrong('true or false');
    if (value) draft.set('store', 'memory');
  },
  NUM_VBUCKETS: (value, draft) => draft.set('buckets', value),
  SENTINELS: (value, draft) => {
    const found = sentinels(value, draft);
    draft.set('sentinel', found);
    if (found !== undefined) draft.assume('redis-wait', 0, waitUnsaid);
  },
  SHARDS: (value, draft) => draft.set('shard', shards(value, draft)),
};

const serverKeys: KeyTable = {
  SERVER_ROLES: (value, draft) => draft.set('role', value),
  SERVER_WORKERS: (value, draft) => draft.set('workers', value),
  BASE_PORT: (value, draft) => draft.set('port', value),
  AGENT_PORT: (_, draft) => draft.noEffect('a server keeps its own events itself, without an agent'),
  NAME_BLACKLIST: (value, draft) => draft.set('name-denylist', expressions(value, draft)),
  CLIENT_BLACKLIST: (value, draft) => draft.set('client-denylist', expressions(value, draft)),
  ADDITIONAL_HANDLERS: (value, draft) => {
    if (!isObject(value)) throw draft.wrong('an object of tab types and the files of their handlers');
    if (Object.keys(value).length > 0) draft.set('additional-handlers', value);
  },
  DEBUG: (value, draft) => {
    if (typeof value !== 'boolean') throw draft.wrong('true or false');
    if (value) draft.set('log-level', 'debug');
  },
};

/** With USE_MEMORY_DB, the first Taba did not look at these. */
const databaseKeysInMemory: KeyTable = {
  ...databaseKeys,
  SENTINELS: (_, draft) => draft.noEffect('USE_MEMORY_DB is true'),
  SHARDS: (_, draft) => draft.noEffect('USE_MEMORY_DB is true'),
};

/** `[["localhost", 18000], …]`; an empty list says the same as none. */
function sentinels(value: unknown, draft: Draft): string[] | undefined {
  const right = 'a list of ["host", port]';
  if (!Array.isArray(value)) throw draft.wrong(right);
  const found = value.map((item: unknown) => {
    if (!Array.isArray(item) || item.length !== 2) throw draft.wrong(right);
    const [host, port] = item as [unknown, unknown];
    if (typeof host !== 'string' || !isPort(port)) throw draft.wrong(right);
    return `${host}:${port}`;
  });
  return found.length === 0 ? undefined : found;
}

/** `[{"shard_name": "shard1", "vbuckets": [0, 499]}, …]`, both ends included. */
function shards(value: unknown, draft: Draft): string[] | undefined {
  const right = 'a list of {"shard_name": …, "vbuckets": [first, last]}';
  if (!Array.isArray(value)) throw draft.wrong(right);
  const found = value.map((item: unknown) => {
    if (!isObject(item)) throw draft.wrong(right);
    const { shard_name: name, vbuckets, ...rest } = item;
    const isRange = Array.isArray(vbuckets) && vbuckets.length === 2 && vbuckets.every(Number.isSafeInteger);
    if (typeof name !== 'string' || !isRange || Object.keys(rest).length > 0) throw draft.wrong(right);
    return `${name}:${vbuckets[0]}-${vbuckets[1]}`;
  });
  return found.length === 0 ? undefined : found;
}

function isPort(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) > 0 && Number(value) <= 65_535;
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function endpoints(value: unknown, draft: Draft): string[] {
  const right = 'a list of {"host": …, "port": …}';
  if (!Array.isArray(value) || value.length === 0) throw draft.wrong(right);
  return value.map((item: unknown) => {
    if (!isObject(item)) throw draft.wrong(right);
    const { host, port, ...rest } = item;
    if (typeof host !== 'string' || !isPort(port) || Object.keys(rest).length > 0) throw draft.wrong(right);
    return `http://${host}:${port}`;
  });
}

/** The first Taba took a list; an empty one says the same as none. */
function expressions(value: unknown, draft: Draft): unknown {
  if (!Array.isArray(value)) throw draft.wrong('a list of regular expressions');
  return value.length === 0 ? undefined : value;
}

/** The first Taba's settings have upper-case keys, today's never do. */
export function isFirstTaba(content: Json): boolean {
  return Object.keys(content).some((key) => /^[A-Z][A-Z_]*$/.test(key));
}

/** @throws UsageError naming the key, its value and what would be right */
export function translateFirstTaba(content: Json, daemon: Daemon, file: string): Translation {
  const values = new Map<SettingName, unknown>();
  const keys = new Map<SettingName, string>();
  const withoutEffect: { key: string; reason: string }[] = [];
  const assumed: Assumption[] = [];
  const table = daemon === 'agent' ? agentKeys : { ...serverKeys, DB_SETTINGS: database };

  function draftFor(key: string, value: unknown): Draft {
    return {
      set(name, translated) {
        if (translated === undefined) return;
        values.set(name, translated);
        keys.set(name, key);
      },
      assume(name, assumption, reason) {
        values.set(name, assumption);
        keys.set(name, key);
        assumed.push({ name, value: assumption, reason });
      },
      noEffect: (reason) => void withoutEffect.push({ key, reason }),
      wrong: (right) =>
        new UsageError(`${file}: ${key}: ${JSON.stringify(value)} is wrong: it should be ${right}`),
    };
  }
  function apply(rows: KeyTable, object: Json, within: string): void {
    for (const [key, value] of Object.entries(object)) {
      const row = Object.hasOwn(rows, key) ? rows[key] : undefined;
      if (row === undefined) {
        throw new UsageError(
          `${file}: ${within}${key}: no such key of a first Taba's ${daemon === 'agent' ? 'agent' : 'server'} settings${didYouMean(key, Object.keys(rows))}`,
        );
      }
      row(value, draftFor(within + key, value));
    }
  }
  function database(value: unknown, draft: Draft): void {
    if (!isObject(value)) throw draft.wrong('an object');
    apply(value.USE_MEMORY_DB === true ? databaseKeysInMemory : databaseKeys, value, 'DB_SETTINGS.');
  }

  apply(table, content, '');
  return { values, keys, withoutEffect, assumed };
}

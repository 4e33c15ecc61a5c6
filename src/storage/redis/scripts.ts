import { createHash } from 'node:crypto';
import { luaSource } from './lua-sources.js';

/** One script per verb; each file says what it takes and answers. */
export const scriptNames = [
  'acquire',
  'append',
  'set-aside',
  'read-pages',
  'read-tail',
  'write-pages',
  'trim',
  'forget',
  'examine',
  'beat',
  'assign',
  'leave',
] as const;

export type ScriptName = (typeof scriptNames)[number];

/** A script about to be run: the text is with Redis already, loaded when the connection was made. */
export interface ScriptCall {
  readonly script: ScriptName;
  readonly keys: readonly string[];
  readonly args: readonly (string | Uint8Array)[];
}

export const scriptSources = Object.fromEntries(
  scriptNames.map((name) => [name, luaSource(name)]),
) as Readonly<Record<ScriptName, string>>;

const digests = Object.fromEntries(
  scriptNames.map((name) => [name, createHash('sha1').update(scriptSources[name]).digest('hex')]),
) as Readonly<Record<ScriptName, string>>;

/** The arguments of EVALSHA: a list in them, which ioredis lays flat, as the stack has no room for very many. */
export function evalshaArguments({ script, keys, args }: ScriptCall): [string, number, (string | Buffer)[]] {
  return [digests[script], keys.length, [...keys, ...args.map(asBuffer)]];
}

/** What the call sends, nearly; for gathering calls into groups of a sensible size. */
export function sizeOf({ keys, args }: ScriptCall): number {
  let bytes = 100 + 30 * keys.length;
  for (const arg of args) bytes += arg.length + 10;
  return bytes;
}

function asBuffer(arg: string | Uint8Array): string | Buffer {
  return typeof arg === 'string' ? arg : Buffer.from(arg.buffer, arg.byteOffset, arg.byteLength);
}

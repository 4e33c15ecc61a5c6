import { TabaError } from './errors.js';
import type { ClientId, TabName } from './ids.js';

/** Names and client ids have 1 to this many bytes; the name set is ASCII, so bytes and characters are the same. */
export const maxNameBytes = 1024;

const nameSet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~:/?@!$()*+;=-';
const namePattern = /^[A-Za-z0-9._~:/?@!$()*+;=-]+$/;
/** By byte: 1 inside the name set, 0 outside. */
const nameByte = tableOf(nameSet);
/** By byte: 1 where a tag's key or value carries the byte as it is. */
const plainTagByte = tableOf(nameSet.replace(/[;=~]/g, ''));
/** By byte: 1 where the name of another protocol carries the byte as it is. */
const plainNameByte = tableOf(nameSet.replace(/[;~]/g, ''));
const oneCharacter = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte));

const textEncoder = new TextEncoder();
const textDecoder = new TextDecoder('utf-8', { fatal: true });

function tableOf(characters: string): Uint8Array {
  const table = new Uint8Array(256);
  for (const character of characters) table[character.charCodeAt(0)] = 1;
  return table;
}

/** @throws TabaError `bad_name` */
export function checkTabName(text: string): TabName {
  if (!isNameText(text)) throw new TabaError('bad_name', faultOf('tab name', text));
  return text as TabName;
}

/** @throws TabaError `bad_client` */
export function checkClientId(text: string): ClientId {
  if (!isNameText(text)) throw new TabaError('bad_client', faultOf('client id', text));
  return text as ClientId;
}

/** Whether `text` may be a tab name or a client id. */
export function isNameText(text: string): boolean {
  return text.length <= maxNameBytes && namePattern.test(text);
}

/** Whether the bytes from `start` up to `end` may be a tab name or a client id. */
export function isName(bytes: Uint8Array, start = 0, end = bytes.length): boolean {
  if (end - start < 1 || end - start > maxNameBytes) return false;
  for (let at = start; at < end; at++) if (nameByte[bytes[at]!] === 0) return false;
  return true;
}

function faultOf(what: string, text: string): string {
  if (text.length === 0) return `the ${what} is empty`;
  if (text.length > maxNameBytes) {
    return `the ${what} ${JSON.stringify(`${text.slice(0, 40)}…`)} has ${text.length} characters; ${maxNameBytes} are allowed`;
  }
  const culprit = [...text].find((character) => !nameSet.includes(character));
  return `the ${what} ${JSON.stringify(text)} contains ${JSON.stringify(culprit)}`;
}

/**
 * Writes a tag's key or value so that it fits into a name: bytes (of UTF-8) outside the name set, and `;` `=` `~`,
 * become `~XX` with two upper-case hex digits. Injective, undone by `tagUnescape`, and never to change: names of
 * stored tabs are made of it.
 */
export function tagEscape(text: string): string {
  let plain = true;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code > 127 || plainTagByte[code] === 0) {
      plain = false;
      break;
    }
  }
  if (plain) return text;
  const bytes = textEncoder.encode(text);
  return tagEscapeBytes(bytes, 0, bytes.length);
}

/** `tagEscape` of bytes from `start` up to `end`, whether they are UTF-8 or not. */
export function tagEscapeBytes(bytes: Uint8Array, start: number, end: number): string {
  return escaped(bytes, start, end, plainTagByte);
}

/**
 * Writes the name of a protocol whose names may have any bytes so that it is a tab name: bytes outside the name set, and
 * `;` (where tags begin) and `~`, become `~XX`. Injective, and a name that needs none of it stays as it is.
 */
export function nameEscapeBytes(bytes: Uint8Array, start: number, end: number): string {
  return escaped(bytes, start, end, plainNameByte);
}

function escaped(bytes: Uint8Array, start: number, end: number, plain: Uint8Array): string {
  let text = '';
  for (let at = start; at < end; at++)
    text += plain[bytes[at]!] === 1 ? oneCharacter[bytes[at]!] : hexOf(bytes[at]!);
  return text;
}

function hexOf(byte: number): string {
  return `~${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}

/** @throws TabaError `bad_name` for text that `tagEscape` did not make */
export function tagUnescape(escaped: string): string {
  if (!/^(?:[^~]|~[0-9A-F]{2})*$/.test(escaped)) {
    throw new TabaError('bad_name', `${JSON.stringify(escaped)} has a ~ without two upper-case hex digits`);
  }
  const bytes = textEncoder.encode(escaped);
  const raw = new Uint8Array(bytes.length);
  let length = 0;
  for (let at = 0; at < bytes.length; at++) {
    if (bytes[at] === 0x7e) {
      raw[length++] = Number.parseInt(String.fromCharCode(bytes[at + 1]!, bytes[at + 2]!), 16);
      at += 2;
    } else {
      raw[length++] = bytes[at]!;
    }
  }
  try {
    return textDecoder.decode(raw.subarray(0, length));
  } catch {
    throw new TabaError('bad_name', `${JSON.stringify(escaped)} does not stand for UTF-8`);
  }
}

/** A tag of StatsD or an attribute of OTLP; without a value where the protocol has tags that are mere words. */
export type Tag = readonly [key: string, value?: string];

/**
 * `name;key=value;key2=value2`, the tags sorted by the bytes that stand in the name and each written once, so that one
 * set of tags makes one name however it came in. The result is as valid as `name` is, unless it became too long.
 */
export function nameWithTags(name: string, tags: Iterable<Tag>): string {
  const pairs = new Set<string>();
  for (const [key, value] of tags) {
    pairs.add(value === undefined ? tagEscape(key) : `${tagEscape(key)}=${tagEscape(value)}`);
  }
  return nameWithPairs(name, pairs);
}

/** The same of tags that are escaped already, each as `key=value` or a mere `key`. */
export function nameWithPairs(name: string, pairs: ReadonlySet<string>): string {
  if (pairs.size === 0) return name;
  return `${name};${[...pairs].sort().join(';')}`;
}

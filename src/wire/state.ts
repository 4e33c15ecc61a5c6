/**
 * A State as bytes, the way it lies in a page of the store. Numbers are little-endian.
 *
 *     offset  size
 *          0     1   format version: 1
 *          1     1   version of the Handler that wrote it, 1 to 255
 *          2         what the Handler's `encode` wrote
 *    last  4     4   xxHash32 (seed 0) of everything before it
 *
 * Damage of any kind is fatal to the State and to nothing else: `corrupt`. States of an older Handler version decode for
 * ever, through the Handler's `upgrade`; those of a newer one are refused, so that a node that was rolled back never
 * misreads, or writes over, what its successor wrote.
 */
import { ByteReader, ByteWriter } from '../core/bytes.js';
import { TabaError } from '../core/errors.js';
import type { Handler } from '../core/handlers/handler.js';
import type { HandlerRegistry } from '../core/handlers/registry.js';
import { xxHash32 } from '../core/xxhash32.js';

export const stateFormatVersion = 1;
export const checksumBytes = 4;
/** What stands before what the Handler encoded. */
export const headerBytes = 2;

/** Finds a Handler by its tab type. */
export type HandlerLookup = Pick<HandlerRegistry, 'get'>;

/** What is written here is copied out at once. */
let stateWriter = new ByteWriter(1024);
/** A State that was larger does not leave its buffer behind. */
const keptWriterBytes = 2 ** 20;

export function encodeState<S>(handler: Handler<S>, state: S): Uint8Array {
  const out = stateWriter;
  beginState(handler, out);
  handler.encode(state, out);
  const bytes = sealState(out);
  if (bytes.length > keptWriterBytes) stateWriter = new ByteWriter(1024);
  return bytes;
}

/** Empties `out`, and begins a State in it: what the Handler's present version encodes of it is to follow. */
export function beginState({ version }: Pick<Handler, 'version'>, out: ByteWriter): void {
  out.clear();
  out.u8(stateFormatVersion);
  out.u8(version);
}

/** The State that was begun in `out`, with its checksum; a copy. */
export function sealState(out: ByteWriter): Uint8Array {
  const content = out.peek();
  const { length } = content;
  // Most come out of Node's pool, several in one piece: an ArrayBuffer for each would cost more than the encoding.
  const bytes = Buffer.allocUnsafe(length + checksumBytes);
  bytes.set(content);
  bytes.writeUInt32LE(xxHash32(content), length);
  return bytes;
}

/** @throws TabaError `corrupt` */
export function decodeState<S>(handler: Handler<S>, bytes: Uint8Array): S {
  const content = stateContent(handler, bytes);
  return decodeBody(handler, content, content[1]!, headerBytes);
}

/**
 * Finds out whether a State decodes, without doing it.
 * @returns what its Handler's present version encoded of it; undefined where only decoding tells
 * @throws TabaError `corrupt`
 */
export function examineState(handler: Handler, bytes: Uint8Array): Uint8Array | undefined {
  const content = stateContent(handler, bytes);
  const newestSec = examineBody(handler, content, content[1]!, headerBytes);
  return newestSec === undefined ? undefined : content.subarray(headerBytes);
}

/** Both versions, and what the Handler encoded. @throws TabaError `corrupt` */
function stateContent(handler: Pick<Handler, 'type'>, bytes: Uint8Array): Uint8Array {
  const content = checkedContent(bytes, `a State of ${handler.type}`);
  if (content.length < headerBytes) {
    throw new TabaError(
      'corrupt',
      `a State of ${handler.type} has ${bytes.length} bytes, too few for its header`,
    );
  }
  if (content[0] !== stateFormatVersion) throw unknownFormat(`State of ${handler.type}`, content[0]!);
  return content;
}

/** Whether a State was written by an older version of its Handler, so that writing it anew would bring it up to date. */
export function isOutdated(handler: Pick<Handler, 'version'>, bytes: Uint8Array): boolean {
  return bytes.length < headerBytes || bytes[0] !== stateFormatVersion || bytes[1] !== handler.version;
}

/** What stands before the checksum at the end of `bytes`. @throws TabaError `corrupt` unless the checksum is right */
export function checkedContent(bytes: Uint8Array, what: string): Uint8Array {
  if (bytes.length < checksumBytes) {
    throw new TabaError('corrupt', `${what} has ${bytes.length} bytes, too few for its checksum`);
  }
  const end = bytes.length - checksumBytes;
  const content = bytes.subarray(0, end);
  const stored = new ByteReader(bytes, end).u32();
  const actual = xxHash32(content);
  if (stored !== actual) {
    throw new TabaError(
      'corrupt',
      `${what} of ${bytes.length} bytes has checksum ${hex(actual)}, not ${hex(stored)}`,
    );
  }
  return content;
}

/**
 * Decodes what a Handler of version `version` encoded, from `start` up to `end`; nothing may be left over.
 * @throws TabaError `corrupt`
 */
export function decodeBody<S>(
  handler: Handler<S>,
  bytes: Uint8Array,
  version: number,
  start = 0,
  end = bytes.length,
): S {
  checkVersion(handler, version);
  const input = new ByteReader(bytes, start, end);
  try {
    const state = version === handler.version ? handler.decode(input) : handler.upgrade(input, version);
    input.end();
    return state;
  } catch (error) {
    throw undecodable(handler, error);
  }
}

/**
 * Finds out whether `decodeBody` would decode the same, without doing it.
 * @returns second of the newest event, see `Handler.examine`; undefined where only decoding tells
 * @throws TabaError `corrupt`
 */
export function examineBody(
  handler: Handler,
  bytes: Uint8Array,
  version: number,
  start = 0,
  end = bytes.length,
): number | undefined {
  if (handler.examine === undefined || version !== handler.version) return undefined;
  checkVersion(handler, version);
  try {
    const newestSec = handler.examine(examinedInput.restart(bytes, start, end));
    examinedInput.end();
    return newestSec;
  } catch (error) {
    throw undecodable(handler, error);
  }
}

/** For all of them: nothing is made that could keep it. */
const examinedInput = new ByteReader(new Uint8Array(0));

function checkVersion({ type, version: own }: Pick<Handler, 'type' | 'version'>, version: number): void {
  if (version >= 1 && version <= own) return;
  throw new TabaError(
    'corrupt',
    `written by version ${version} of ${type}; this node knows versions 1 to ${own}`,
  );
}

/** An additional Handler may throw anything at bytes it does not expect. */
function undecodable({ type }: Pick<Handler, 'type'>, error: unknown): TabaError {
  if (error instanceof TabaError && error.code === 'corrupt') return error;
  return new TabaError('corrupt', `${type} cannot decode a State: ${messageOf(error)}`);
}

export function unknownFormat(what: string, version: number): TabaError {
  return new TabaError('corrupt', `a ${what} of format version ${version}; this node knows version 1`);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function hex(value: number): string {
  return value.toString(16).padStart(8, '0');
}

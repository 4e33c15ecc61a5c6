/**
 * The part of msgpack that frames are made of: nil, booleans, numbers, strings, binary and arrays.
 *
 * msgpackr does the work. It believes what it reads, though: it allocates arrays of any announced length, recurses as
 * deep as the bytes say, and turns extensions into dates, sets, errors and typed arrays. So bytes from outside are
 * walked through first, in one pass without allocation, and only values of this part, of limited depth, that fill the
 * bytes exactly are handed on.
 */
import { Packr, Unpackr } from 'msgpackr';
import { TabaError } from '../core/errors.js';

/** Deep enough for every frame with room for what later versions may add. */
const maxDepth = 8;

export type Packed = null | boolean | number | string | Uint8Array | readonly Packed[];

const packr = new Packr({ useRecords: false });
const unpackr = new Unpackr({ useRecords: false, int64AsType: 'number' });

export function pack(value: Packed): Uint8Array {
  return plain(packr.pack(value));
}

/**
 * The value shares no memory with `bytes`: those of a socket are gone when its callback returns. All binary in it lies in one copy of them,
 * since an ArrayBuffer for each takes longer to make than everything else here.
 *
 * @throws TabaError `bad_framing`
 */
export function unpack(bytes: Uint8Array): Packed {
  checkStructure(bytes);
  return unpackr.unpack(plain(bytes).slice()) as Packed;
}

/**
 * The same bytes as a plain Uint8Array: msgpackr writes other views wrongly, and a Buffer handed in comes out as Buffers,
 * whose `slice` is a view where everybody expects a copy.
 */
export function plain(bytes: Uint8Array): Uint8Array {
  return bytes.constructor === Uint8Array
    ? bytes
    : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** @throws TabaError `bad_framing` unless `bytes` are exactly one value of the part described above */
function checkStructure(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  /** Values still due at each level of arrays around the present one. */
  const due = [1];
  let at = 0;
  const lengthOf = (lengthBytes: number): number => {
    if (at + lengthBytes > bytes.length) throw cutOff(bytes);
    const start = at;
    at += lengthBytes;
    if (lengthBytes === 1) return bytes[start]!;
    return lengthBytes === 2 ? view.getUint16(start) : view.getUint32(start);
  };
  while (due.length > 0) {
    if (due.at(-1) === 0) {
      due.pop();
      continue;
    }
    due[due.length - 1]!--;
    if (at >= bytes.length) throw cutOff(bytes);
    const type = bytes[at++]!;
    let children = 0;
    if (type <= 0x7f || type >= 0xe0) {
      // A small integer: the type is the value.
    } else if (type >= 0x90 && type <= 0x9f) {
      children = type & 0x0f;
      due.push(children);
    } else if (type >= 0xa0 && type <= 0xbf) {
      at += type & 0x1f;
    } else if (type === 0xdc || type === 0xdd) {
      children = lengthOf(type === 0xdc ? 2 : 4);
      due.push(children);
    } else {
      const width = fixedWidths[type];
      if (width !== undefined) at += width;
      else {
        const lengthBytes = lengthWidths[type];
        if (lengthBytes === undefined)
          throw framing(`byte ${at - 1} begins a value of type 0x${type.toString(16)}`);
        const length = lengthOf(lengthBytes);
        at += length;
      }
    }
    // Every child takes at least a byte: nothing is allocated for more children than there are bytes.
    if (at + children > bytes.length) throw cutOff(bytes);
    if (due.length > maxDepth + 1) throw framing(`arrays are nested more than ${maxDepth} deep`);
  }
  if (at !== bytes.length) throw framing(`${bytes.length - at} bytes follow the frame`);
}

/** Bytes of the value behind its type byte: nil, false, true, float 32 and 64, unsigned and signed integers. */
const fixedWidths: Readonly<Record<number, number>> = {
  192: 0,
  194: 0,
  195: 0,
  202: 4,
  203: 8,
  204: 1,
  205: 2,
  206: 4,
  207: 8,
  208: 1,
  209: 2,
  210: 4,
  211: 8,
};

/** Bytes of the length behind the type byte: binary, strings. */
const lengthWidths: Readonly<Record<number, number>> = { 196: 1, 197: 2, 198: 4, 217: 1, 218: 2, 219: 4 };

function cutOff(bytes: Uint8Array): TabaError {
  return framing(`cut off after ${bytes.length} bytes`);
}

function framing(message: string): TabaError {
  return new TabaError('bad_framing', `not a frame: ${message}`);
}

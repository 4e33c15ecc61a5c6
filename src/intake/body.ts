import { promisify } from 'node:util';
import { gunzip, gunzipSync, type InputType, inflate, inflateSync, type ZlibOptions } from 'node:zlib';
import { TabaError } from '../core/errors.js';
import type { Limits } from '../core/limits.js';

/**
 * A request's body as it was before `Content-Encoding`.
 *
 * @param encoding the header, if there is one
 * @throws TabaError `bad_framing` for an unknown compression, and for compressed bytes that are broken or cut off;
 * `body_too_large` as soon as more comes out than is allowed
 */
export async function decompressBody(
  body: Uint8Array,
  encoding: string | undefined,
  limits: Pick<Limits, 'maxDecompressedBytes'>,
): Promise<Uint8Array> {
  const name = nameOf(encoding);
  const decompress = decompressors.get(name);
  if (decompress === undefined) {
    throw new TabaError(
      'bad_framing',
      `Content-Encoding ${JSON.stringify(name)} is not one of gzip, deflate`,
    );
  }
  return decompress(body, limits.maxDecompressedBytes);
}

/** The same of a path that takes zlib: some clients also say in the header what the path says already. */
export async function inflateBody(
  body: Uint8Array,
  encoding: string | undefined,
  limits: Pick<Limits, 'maxDecompressedBytes'>,
): Promise<Uint8Array> {
  const decompressed = await decompressBody(body, encoding, limits);
  return nameOf(encoding) === 'deflate' ? decompressed : inflated(decompressed, limits.maxDecompressedBytes);
}

function nameOf(encoding = 'identity'): string {
  return encoding.trim().toLowerCase();
}

type Decompress = (body: Uint8Array, maxBytes: number) => Promise<Uint8Array>;

const inflated: Decompress = (body, maxBytes) => decompressed(body, maxBytes, zlib);
const gunzipped: Decompress = (body, maxBytes) => decompressed(body, maxBytes, gzip);

const decompressors: ReadonlyMap<string, Decompress> = new Map([
  ['identity', async (body) => body],
  ['deflate', inflated],
  ['gzip', gunzipped],
  ['x-gzip', gunzipped],
]);

/** Node passes buffer and engine when asked for `info`, which its types do not know. */
interface Decompressed {
  readonly buffer: Uint8Array;
  readonly engine: { readonly bytesWritten: number };
}

interface Format {
  readonly name: string;
  here(body: InputType, options: ZlibOptions): unknown;
  elsewhere(body: InputType, options: ZlibOptions): Promise<unknown>;
}
const zlib: Format = {
  name: 'zlib',
  here: inflateSync,
  elsewhere: promisify(inflate) as Format['elsewhere'],
};
const gzip: Format = { name: 'gzip', here: gunzipSync, elsewhere: promisify(gunzip) as Format['elsewhere'] };

/** A larger body goes to another thread at once. */
const maxBytesHere = 65_536;
/**
 * What is decompressed in the thread that serves everybody: a millisecond at most. Handing a body to another thread and back,
 * piece by piece, costs several times as much as decompressing it.
 */
const maxOutputHere = 2 ** 20;
const pieceBytes = 2 ** 18;

/** Stops at the first piece beyond `maxBytes`: a bomb never unfolds. */
async function decompressed(body: Uint8Array, maxBytes: number, format: Format): Promise<Uint8Array> {
  const limitHere = Math.min(maxBytes, maxOutputHere);
  let result: Decompressed | undefined;
  try {
    if (body.length <= maxBytesHere) result = decompressedHere(body, limitHere, format);
    if (result === undefined && (body.length > maxBytesHere || limitHere < maxBytes)) {
      result = (await format.elsewhere(body, optionsFor(maxBytes))) as Decompressed;
    }
  } catch (error) {
    if (!isTooLarge(error)) {
      throw new TabaError('bad_framing', `the body is not ${format.name}: ${(error as Error).message}`);
    }
  }
  if (result === undefined) {
    throw new TabaError('body_too_large', `the body decompresses to more than ${maxBytes} bytes`);
  }
  const read = result.engine.bytesWritten;
  if (read !== body.length) {
    throw new TabaError(
      'bad_framing',
      `${body.length - read} bytes follow the end of the ${format.name} body`,
    );
  }
  return result.buffer;
}

/** @returns undefined if it is more than `maxBytes` */
function decompressedHere(body: Uint8Array, maxBytes: number, format: Format): Decompressed | undefined {
  try {
    return format.here(body, optionsFor(maxBytes)) as Decompressed;
  } catch (error) {
    if (isTooLarge(error)) return undefined;
    throw error;
  }
}

function optionsFor(maxBytes: number): ZlibOptions {
  return { maxOutputLength: maxBytes, chunkSize: pieceBytes, info: true };
}

function isTooLarge(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
}

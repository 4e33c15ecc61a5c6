import { promisify } from 'node:util';
import { gunzip, type InputType, inflate, type ZlibOptions } from 'node:zlib';
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

const inflated: Decompress = (body, maxBytes) => decompressed(body, maxBytes, inflateAsync, 'zlib');
const gunzipped: Decompress = (body, maxBytes) => decompressed(body, maxBytes, gunzipAsync, 'gzip');

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
type ZlibAsync = (body: InputType, options: ZlibOptions) => Promise<unknown>;
const inflateAsync = promisify(inflate) as ZlibAsync;
const gunzipAsync = promisify(gunzip) as ZlibAsync;

/** Runs off the main thread, piece by piece, and stops at the first piece beyond `maxBytes`: a bomb never unfolds. */
async function decompressed(
  body: Uint8Array,
  maxBytes: number,
  run: ZlibAsync,
  format: string,
): Promise<Uint8Array> {
  let result: Decompressed;
  try {
    result = (await run(body, { maxOutputLength: maxBytes, chunkSize: 65_536, info: true })) as Decompressed;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      throw new TabaError('body_too_large', `the body decompresses to more than ${maxBytes} bytes`);
    }
    throw new TabaError('bad_framing', `the body is not ${format}: ${(error as Error).message}`);
  }
  const read = result.engine.bytesWritten;
  if (read !== body.length) {
    throw new TabaError('bad_framing', `${body.length - read} bytes follow the end of the ${format} body`);
  }
  return result.buffer;
}

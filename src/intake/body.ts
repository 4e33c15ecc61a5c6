import { promisify } from 'node:util';
import { gunzip, type InputType, inflate, type ZlibOptions } from 'node:zlib';
import { TabaError } from '../core/errors.js';
import type { Limits } from '../core/limits.js';
import type { Items } from '../wire/item-sink.js';
import { parseJsonEvents } from '../wire/json-events.js';
import { parseV1 } from '../wire/v1.js';

/** The routes that take raw events, and what stands in their bodies. */
const protocols = {
  '/post': { zlib: false, parse: parseV1 },
  '/post_zip': { zlib: true, parse: parseV1 },
  '/events': { zlib: false, parse: parseJsonEvents },
} as const;

export type IntakePath = keyof typeof protocols;
export const intakePaths = Object.keys(protocols) as IntakePath[];

export interface RawBody {
  readonly path: IntakePath;
  /** The header, if there is one. */
  readonly contentEncoding: string | undefined;
  readonly body: Uint8Array;
}

/**
 * The items of a request's body, decompressed if need be; they are parsed when `stage` asks for them.
 *
 * @throws TabaError `bad_framing` for an unknown compression, and for compressed bytes that are broken or cut off;
 * `body_too_large` as soon as more comes out than is allowed
 */
export async function readItems(raw: RawBody, limits: Pick<Limits, 'maxDecompressedBytes'>): Promise<Items> {
  const protocol = protocols[raw.path];
  const encoding = (raw.contentEncoding ?? 'identity').trim().toLowerCase();
  const decompress = decompressors.get(encoding);
  if (decompress === undefined) {
    throw new TabaError(
      'bad_framing',
      `Content-Encoding ${JSON.stringify(encoding)} is not one of gzip, deflate`,
    );
  }
  let body = await decompress(raw.body, limits.maxDecompressedBytes);
  // Some clients also say in the header what the path says already.
  if (protocol.zlib && encoding !== 'deflate') body = await inflated(body, limits.maxDecompressedBytes);
  return (sink) => protocol.parse(body, sink);
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

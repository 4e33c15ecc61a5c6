import type { TabaError } from '../core/errors.js';
import type { Limits } from '../core/limits.js';
import type { Items } from '../wire/item-sink.js';
import { parseJsonEvents } from '../wire/json-events.js';
import { parseV1 } from '../wire/v1.js';
import { jsonAnswer } from './answer.js';
import { decompressBody, inflateBody } from './body.js';
import { otlp } from './otlp/otlp.js';
import type { OtlpNaming } from './otlp/points.js';
import type { Staged } from './staged.js';

/** What of a request matters here. */
export interface IntakeRequest {
  readonly headers: Pick<ReadonlyMap<string, string>, 'get'>;
  readonly body: Uint8Array;
}

export interface IntakeReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

/** What a node knows about reading bodies. */
export interface IntakeSettings {
  readonly limits: Pick<Limits, 'maxDecompressedBytes' | 'maxNameBytes'>;
  readonly naming: OtlpNaming;
}

/** The items of a body. */
export interface ReadBody {
  readonly items: Items;
  /** How many the mapping rules dropped, once `items` has run: they are none of the items. */
  dropped(): number;
}

/** A way in which raw events come in over HTTP. */
export interface IntakeProtocol {
  /** Media types, and what this is for. */
  readonly doc: {
    readonly summary: string;
    readonly takes: readonly string[];
    readonly gives: readonly string[];
  };
  /** Parsed when `items` is called. @throws TabaError `bad_framing`, `body_too_large`: nothing of it counts */
  read(request: IntakeRequest, settings: IntakeSettings): Promise<ReadBody>;
  answer(staged: Staged, request: IntakeRequest): IntakeReply;
  /** The answer where nothing counts; absent: as for every other request. */
  refuse?(error: TabaError, request: IntakeRequest): IntakeReply;
}

/** Bodies of raw events alone, which name their tabs themselves. */
function plain(
  doc: Pick<IntakeProtocol['doc'], 'summary' | 'takes'>,
  decompress: typeof decompressBody,
  parse: (body: Uint8Array, ...sink: Parameters<Items>) => void,
) {
  return {
    doc: { ...doc, gives: ['application/json'] },
    async read({ headers, body }, { limits }) {
      const bytes = await decompress(body, headers.get('content-encoding'), limits);
      return { items: (sink) => parse(bytes, sink), dropped: () => 0 };
    },
    answer: jsonAnswer,
  } satisfies IntakeProtocol;
}

/** By the path they are posted to. */
export const intakeProtocols = {
  '/post': plain({ summary: 'Events in text v1', takes: ['text/plain'] }, decompressBody, parseV1),
  '/post_zip': plain(
    { summary: 'Events in text v1, zlib', takes: ['application/octet-stream'] },
    inflateBody,
    parseV1,
  ),
  '/events': plain(
    {
      summary: 'Events in JSON: one, an array, or one a line',
      takes: ['application/json', 'application/x-ndjson'],
    },
    decompressBody,
    parseJsonEvents,
  ),
  '/v1/metrics': otlp,
} as const satisfies Readonly<Record<string, IntakeProtocol>>;

export type IntakePath = keyof typeof intakeProtocols;
export const intakePaths = Object.keys(intakeProtocols) as IntakePath[];

import { TabaError } from '../../core/errors.js';
import { failureAnswer, type OtlpEncoding, otlpMediaTypes, successAnswer } from '../../wire/otlp/answer.js';
import { readMetricsJson } from '../../wire/otlp/metrics-json.js';
import { readMetricsProtobuf } from '../../wire/otlp/metrics-protobuf.js';
import { decompressBody } from '../body.js';
import type { IntakeProtocol, IntakeReply, IntakeRequest } from '../protocol.js';
import { takePoints } from './points.js';

/** Codes of gRPC, as a `google.rpc.Status` has them. */
const invalidArgument = 3;
const unavailable = 14;
const internal = 13;

const readers = { protobuf: readMetricsProtobuf, json: readMetricsJson } as const;

/**
 * OTLP over HTTP, `POST /v1/metrics`: protobuf or JSON, as its `Content-Type` says. An answer is written as the request is;
 * data points that cannot be taken are a partial success.
 */
export const otlp: IntakeProtocol = {
  doc: {
    summary: 'Metrics of OpenTelemetry (OTLP)',
    takes: Object.values(otlpMediaTypes),
    gives: Object.values(otlpMediaTypes),
  },

  async read({ headers, body }, { limits, naming }) {
    const read = readers[encodingOf({ headers })];
    const bytes = await decompressBody(body, headers.get('content-encoding'), limits);
    let dropped = 0;
    const items = (sink: Parameters<typeof takePoints>[3]): void => {
      dropped = takePoints(read(bytes), naming, limits, sink);
    };
    return { items, dropped: () => dropped };
  },

  answer({ rejections }, request) {
    const { total, listed } = rejections;
    const [first] = listed;
    const message =
      first === undefined ? '' : `${total} not taken; the first: ${first.code}: ${first.message}`;
    return reply(200, request, (encoding) => successAnswer(encoding, total, message));
  },

  refuse(error, request) {
    const { row, details } = error;
    const { status, code, headers } = refusalOf(row.status, details.retryAfterSec);
    const message = `${error.code}: ${error.message}`;
    const answer = reply(status, request, (encoding) => failureAnswer(encoding, code, message));
    return { ...answer, headers: { ...answer.headers, ...headers } };
  },
};

function refusalOf(
  status: number,
  retryAfterSec: unknown,
): { readonly status: number; readonly code: number; readonly headers: Record<string, string> } {
  if (status === 503) {
    const seconds = typeof retryAfterSec === 'number' ? retryAfterSec : 1;
    return { status, code: unavailable, headers: { 'retry-after': String(seconds) } };
  }
  // Exporters send again what is answered with 504, but what may have been counted must not come twice.
  if (status >= 500) return { status: 500, code: internal, headers: {} };
  return { status, code: invalidArgument, headers: {} };
}

function reply(
  status: number,
  request: IntakeRequest,
  body: (encoding: OtlpEncoding) => Uint8Array,
): IntakeReply {
  const encoding = isJson(request) ? 'json' : 'protobuf';
  return { status, headers: { 'content-type': otlpMediaTypes[encoding] }, body: body(encoding) };
}

/** @throws TabaError `bad_framing` */
function encodingOf(request: Pick<IntakeRequest, 'headers'>): OtlpEncoding {
  if (isJson(request)) return 'json';
  const type = mediaType(request);
  if (type === otlpMediaTypes.protobuf || type === 'application/protobuf') return 'protobuf';
  throw new TabaError(
    'bad_framing',
    `Content-Type ${JSON.stringify(type)}: OTLP comes as ${Object.values(otlpMediaTypes).join(' or ')}`,
  );
}

function isJson(request: Pick<IntakeRequest, 'headers'>): boolean {
  return mediaType(request) === otlpMediaTypes.json;
}

function mediaType({ headers }: Pick<IntakeRequest, 'headers'>): string {
  return (headers.get('content-type') ?? '').split(';')[0]!.trim().toLowerCase();
}

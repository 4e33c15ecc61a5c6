/** What an exporter of OTLP is told: `ExportMetricsServiceResponse`, or a `google.rpc.Status` where nothing was taken. */
import { ByteWriter } from '../../core/bytes.js';

/** How a request is written, and its answer too. */
export type OtlpEncoding = 'protobuf' | 'json';

export const otlpMediaTypes: Readonly<Record<OtlpEncoding, string>> = {
  protobuf: 'application/x-protobuf',
  json: 'application/json',
};

/** Fields of messages: number times 8, and 2 for what has a length. */
const lengthDelimited = 2;
const tag = (field: number, wireType: number): number => field * 8 + wireType;

/** @param rejected data points that were not taken @param message why, for people; empty when all were */
export function successAnswer(encoding: OtlpEncoding, rejected: number, message: string): Uint8Array {
  const isPartial = rejected > 0 || message !== '';
  if (encoding === 'json') {
    const partialSuccess = { rejectedDataPoints: String(rejected), errorMessage: message };
    return Buffer.from(JSON.stringify(isPartial ? { partialSuccess } : {}));
  }
  const out = new ByteWriter();
  if (!isPartial) return out.finish();
  const partial = new ByteWriter();
  partial.u8(tag(1, 0));
  partial.varint(rejected);
  partial.u8(tag(2, lengthDelimited));
  partial.string(message);
  out.u8(tag(1, lengthDelimited));
  out.bytes(partial.peek());
  return out.finish();
}

/** A Status. @param code one of gRPC's */
export function failureAnswer(encoding: OtlpEncoding, code: number, message: string): Uint8Array {
  if (encoding === 'json') return Buffer.from(JSON.stringify({ code, message }));
  const out = new ByteWriter();
  out.u8(tag(1, 0));
  out.varint(code);
  out.u8(tag(2, lengthDelimited));
  out.string(message);
  return out.finish();
}

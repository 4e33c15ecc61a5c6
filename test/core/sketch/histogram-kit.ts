import { ByteWriter } from '../../../src/core/bytes.js';
import { Histogram } from '../../../src/core/sketch/histogram.js';

export function histogramOf(values: Iterable<number>): Histogram {
  const histogram = new Histogram();
  for (const value of values) histogram.add(value);
  return histogram;
}

export function encoded(histogram: Histogram): Uint8Array {
  const out = new ByteWriter();
  histogram.encode(out);
  return out.finish();
}

import type { ByteReader } from '../bytes.js';
import { BinList } from './bin-list.js';
import { readBins } from './bins-codec.js';
import { decodeFigures, noFigures } from './figures-codec.js';
import { percentilesOf } from './percentiles.js';

/** An encoded histogram as far as it is shown, without one being made: read anew for one State after the other. */
export class HistogramReading {
  readonly #figures = noFigures();
  readonly #positive = new BinList();
  readonly #negative = new BinList();

  get count(): number {
    return this.#figures.count;
  }

  get total(): number {
    return this.#figures.count === 0 ? 0 : this.#figures.total;
  }

  /** @throws TabaError `corrupt`, where `Histogram.decode` would */
  read(input: ByteReader): void {
    if (!decodeFigures(this.#figures, input)) return;
    readBins(input, this.#positive);
    readBins(input, this.#negative);
  }

  /** As `Histogram.percentiles`. */
  percentiles(ps: readonly number[]): number[] {
    return percentilesOf(this.#figures, this.#negative, this.#positive, ps);
  }
}

import type { ErrorCode, Rejection } from '../core/errors.js';

/** An answer lists this many rejections; of the others it says how many there are. */
export const maxListedRejections = 1000;

/** What was rejected of a body: counted by code in full, listed up to a limit. */
export class Rejections {
  readonly #listed: Rejection[] = [];
  readonly #byCode = new Map<ErrorCode, number>();
  #total = 0;

  get total(): number {
    return this.#total;
  }

  get byCode(): ReadonlyMap<ErrorCode, number> {
    return this.#byCode;
  }

  /** In the order of the items. */
  get listed(): readonly Rejection[] {
    return this.#listed.toSorted((a, b) => a.index - b.index);
  }

  add(index: number, code: ErrorCode, message: string): void {
    this.#total++;
    this.#byCode.set(code, (this.#byCode.get(code) ?? 0) + 1);
    if (this.#listed.length < maxListedRejections) this.#listed.push({ index, code, message });
  }
}

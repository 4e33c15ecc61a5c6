import { builtinHandlers } from '../../../../src/core/handlers/registry.js';
import type { ClientId, TabName, TabType } from '../../../../src/core/ids.js';
import { PartMap } from '../../../../src/core/parts.js';
import { encodeParts } from '../../../../src/wire/parts.js';
import type { ClientReport, Ledger } from '../../load.js';

const registry = builtinHandlers();

/** What will be in a Block, before it is sealed. */
export function emptyParts(): PartMap {
  return new PartMap(registry);
}

export function encoded(parts: PartMap): Uint8Array {
  return encodeParts(parts, registry);
}

/** One client of several that record into the same Parts, and all that it has recorded. */
export class Recorder {
  readonly #client: string;
  readonly #ledger: Ledger = new Map();

  constructor(client: string) {
    this.#client = client;
  }

  /** An event of now. @param value an integer, so that totals are exact */
  record(tab: string, type: string, value: number, parts: PartMap): void {
    const handler = registry.get(type as TabType)!;
    const meta = { timestampSec: Date.now() / 1000, sequence: parts.events };
    parts.fold(tab as TabName, type as TabType, this.#client as ClientId, handler.parse(value), meta);
    const tally = this.#ledger.get(tab);
    if (tally === undefined) this.#ledger.set(tab, { count: 1, total: value });
    else {
      tally.count += 1;
      tally.total += value;
    }
  }

  get report(): ClientReport {
    return { client: this.#client, ledger: [...this.#ledger] };
  }
}

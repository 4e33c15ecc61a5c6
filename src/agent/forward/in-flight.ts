import type { AddressedAnswer, Block } from '../../core/block.js';
import type { BucketIndex } from '../../core/ids.js';

/** Blocks that went out in one frame. */
export interface Push {
  readonly sentAtMs: number;
  readonly bytes: number;
  /** How many of its Blocks are not answered. */
  left: number;
}

interface Sent {
  readonly block: Block;
  readonly push: Push;
}

/** What was sent on one lane and is not answered. */
export class InFlight {
  /** A bucket has a few Blocks under way at most. */
  readonly #sent = new Map<BucketIndex, Sent[]>();
  /** Oldest first. */
  readonly #pushes = new Set<Push>();
  #blocks = 0;
  #bytes = 0;

  get pushes(): number {
    return this.#pushes.size;
  }

  get blocks(): number {
    return this.#blocks;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get oldest(): Push | undefined {
    for (const push of this.#pushes) return push;
    return undefined;
  }

  add(blocks: readonly Block[], bytes: number, sentAtMs: number): void {
    const push = { sentAtMs, bytes, left: blocks.length };
    this.#pushes.add(push);
    this.#blocks += blocks.length;
    this.#bytes += bytes;
    for (const block of blocks) {
      const sent = this.#sent.get(block.bucket);
      if (sent === undefined) this.#sent.set(block.bucket, [{ block, push }]);
      else sent.push({ block, push });
    }
  }

  /** @returns the Block that is answered, and its push, which is over with the answer to its last Block; undefined for one that is not in flight */
  take({ bucket, producer, seq }: AddressedAnswer): Sent | undefined {
    const sent = this.#sent.get(bucket);
    if (sent === undefined) return undefined;
    const at = sent.findIndex(({ block }) => block.seq === seq && block.producer === producer);
    const found = sent[at];
    if (found === undefined) return undefined;
    sent.splice(at, 1);
    this.#blocks--;
    if (--found.push.left === 0) {
      this.#pushes.delete(found.push);
      this.#bytes -= found.push.bytes;
    }
    return found;
  }

  clear(): void {
    this.#sent.clear();
    this.#pushes.clear();
    this.#blocks = 0;
    this.#bytes = 0;
  }
}

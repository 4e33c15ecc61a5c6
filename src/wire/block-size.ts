import type { Block } from '../core/block.js';

/** Upper bound of what a Block costs in a frame beside its payload. */
export const blockOverheadBytes = 256;

/** What a Block adds to a frame, at most. */
export function frameCostOf({ payload }: Pick<Block, 'payload'>): number {
  return payload.length + blockOverheadBytes;
}

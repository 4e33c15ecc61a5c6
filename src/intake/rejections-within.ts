import type { BlockRejection } from '../core/block.js';

/** Upper bound of what the acknowledgement of a flush takes beside its rejections. */
export const ackOverheadBytes = 1024;
/** Upper bound of what a rejection takes in a frame beside its texts. */
const rejectionBytes = 32;
/** Room for a rejection of each code that stands for those that do not fit. */
const restBytes = 2048;
const message = 'others, which were too many to be named';

/**
 * Rejections that take no more than `maxBytes` in a frame: those beyond it are named by their codes alone, with all of their
 * events. Whoever gets a frame that is too large ends the connection, and does not learn of any.
 */
export function rejectionsWithin(
  rejected: readonly BlockRejection[],
  maxBytes: number,
): readonly BlockRejection[] {
  if (rejectionsCost(rejected) <= maxBytes) return rejected;
  const listed: BlockRejection[] = [];
  const rest = new Map<BlockRejection['code'], number>();
  let bytes = restBytes;
  for (const rejection of rejected) {
    bytes += costOf(rejection);
    if (bytes <= maxBytes) listed.push(rejection);
    else rest.set(rejection.code, (rest.get(rejection.code) ?? 0) + rejection.events);
  }
  const others = Array.from(rest, ([code, events]) => ({ tab: '', client: '', events, code, message }));
  return [...listed, ...others];
}

/** Upper bound of what they take in a frame. */
export function rejectionsCost(rejected: readonly BlockRejection[]): number {
  return rejected.reduce((sum, rejection) => sum + costOf(rejection), 0);
}

function costOf({ tab, client, code, message }: BlockRejection): number {
  return rejectionBytes + tab.length + client.length + code.length + Buffer.byteLength(message);
}

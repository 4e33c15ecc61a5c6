import type { AddressedAnswer, BlockRejection } from '../../core/block.js';

/** Upper bounds of what a frame, an answer and a rejection take beside their texts. */
const frameBytes = 64;
const answerBytes = 128;
const rejectionBytes = 32;
/** Room for a rejection of each code that stands for those that do not fit. */
const restBytes = 2048;

/**
 * Answers, a frame each time. The other side would end the connection for a frame that is larger than it takes, send the
 * Blocks again, and get the same frame again.
 */
export function* answerFrames(
  answers: readonly AddressedAnswer[],
  maxFrameBytes: number,
): Generator<AddressedAnswer[]> {
  const room = maxFrameBytes - frameBytes;
  let frame: AddressedAnswer[] = [];
  let bytes = 0;
  for (const whole of answers) {
    const answer = within(whole, room);
    const cost = costOf(answer);
    if (frame.length > 0 && bytes + cost > room) {
      yield frame;
      frame = [];
      bytes = 0;
    }
    frame.push(answer);
    bytes += cost;
  }
  if (frame.length > 0) yield frame;
}

/** An answer that fits into a frame: rejections beyond that are named by their codes alone, with all of their events. */
function within(addressed: AddressedAnswer, room: number): AddressedAnswer {
  const { answer } = addressed;
  if (answer.kind !== 'acknowledged' || costOf(addressed) <= room) return addressed;
  const listed: BlockRejection[] = [];
  const rest = new Map<BlockRejection['code'], number>();
  let bytes = answerBytes + restBytes;
  for (const rejection of answer.rejected) {
    bytes += rejectionCost(rejection);
    if (bytes <= room) listed.push(rejection);
    else rest.set(rejection.code, (rest.get(rejection.code) ?? 0) + rejection.events);
  }
  const message = 'others of this Block, which were too many to be named';
  const others = Array.from(rest, ([code, events]) => ({ tab: '', client: '', events, code, message }));
  return { ...addressed, answer: { ...answer, rejected: [...listed, ...others] } };
}

function costOf({ answer }: AddressedAnswer): number {
  if (answer.kind !== 'acknowledged') return answerBytes;
  return answer.rejected.reduce((sum, rejection) => sum + rejectionCost(rejection), answerBytes);
}

function rejectionCost({ tab, client, code, message }: BlockRejection): number {
  return rejectionBytes + tab.length + client.length + code.length + Buffer.byteLength(message);
}

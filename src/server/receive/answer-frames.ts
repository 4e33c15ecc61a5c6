import type { AddressedAnswer } from '../../core/block.js';
import { rejectionsCost, rejectionsWithin } from '../../intake/rejections-within.js';

/** Upper bounds of what a frame, and an answer without its rejections, take. */
const frameBytes = 64;
const answerBytes = 128;

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

function within(addressed: AddressedAnswer, room: number): AddressedAnswer {
  const { answer } = addressed;
  if (answer.kind !== 'acknowledged') return addressed;
  const rejected = rejectionsWithin(answer.rejected, room - answerBytes);
  return rejected === answer.rejected ? addressed : { ...addressed, answer: { ...answer, rejected } };
}

function costOf({ answer }: AddressedAnswer): number {
  return answer.kind === 'acknowledged' ? answerBytes + rejectionsCost(answer.rejected) : answerBytes;
}

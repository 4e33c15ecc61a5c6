import type { Rejection } from '../core/errors.js';
import { errorCatalogue } from '../core/errors.js';
import type { Staged } from './staged.js';

/** What a sender of raw events is told, as JSON. */
export interface IntakeAnswer {
  readonly accepted: number;
  /** The first of them, see `maxListedRejections`. */
  readonly rejected: readonly Rejection[];
  /** How many there are, where that is more than are listed. */
  readonly rejected_total?: number;
  /** Events counted at the present because they were stamped too far ahead of it. */
  readonly clamped?: number;
  /** Only where nothing was accepted. */
  readonly code?: 'nothing_accepted';
  readonly message?: string;
}

/**
 * The answer to a body that was taken apart: 200 although some items were rejected, since the others count; 400 only if
 * there were items and not one of them counts, so that an answer other than 2xx always means that nothing counted.
 */
export function answerOf(staged: Pick<Staged, 'accepted' | 'received' | 'rejections' | 'clamped'>): {
  readonly status: number;
  readonly body: IntakeAnswer;
} {
  const { accepted, received, rejections, clamped } = staged;
  const rejected = rejections.listed;
  const answer: IntakeAnswer = {
    accepted,
    rejected,
    ...(rejections.total > rejected.length && { rejected_total: rejections.total }),
    ...(clamped > 0 && { clamped }),
  };
  if (accepted > 0 || received === 0) return { status: 200, body: answer };
  const [first] = rejected;
  const message = `all ${received} items were rejected; the first: ${first?.message}`;
  return {
    status: errorCatalogue.nothing_accepted.status,
    body: { code: 'nothing_accepted', message, ...answer },
  };
}

/** `answerOf` as a reply. */
export function jsonAnswer(staged: Parameters<typeof answerOf>[0]): {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
} {
  const { status, body } = answerOf(staged);
  return { status, headers: { 'content-type': 'application/json' }, body: `${JSON.stringify(body)}\n` };
}

import { TabaError } from '../../core/errors.js';
import type { HttpReply } from './http.js';

/** Seconds after which a sender may try again, where an error's details do not say (`retryAfterSec`). */
const defaultRetryAfterSec = 1;

/** How an error is answered: its row's status, and JSON `{error: {code, message, ...details}}`. */
export function errorReply(error: TabaError): HttpReply {
  const { status, retry } = error.row;
  const { retryAfterSec = defaultRetryAfterSec, ...details } = error.details;
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  if (retry && status === 503) headers['retry-after'] = String(retryAfterSec);
  if (typeof details.allow === 'string') headers.allow = details.allow;
  return {
    status,
    headers,
    body: `${JSON.stringify({ error: { ...details, code: error.code, message: error.message } })}\n`,
  };
}

/** What `thrown` is answered with. A defect keeps its message to itself: that is for the log. */
export function replyToThrown(thrown: unknown): HttpReply {
  if (thrown instanceof TabaError) return errorReply(thrown);
  return errorReply(new TabaError('internal', 'an unexpected error; the log of this node has the details'));
}

import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { ask, explainFault, faultOf, type Reply } from '../ask.js';
import { CommandFailure } from '../usage-error.js';

export interface RejectedLine {
  readonly line: number;
  readonly code: string;
  readonly message: string;
}

interface Line {
  readonly number: number;
  readonly json: string;
}

interface EventsAnswer {
  readonly accepted: number;
  readonly rejected: readonly { readonly index: number; readonly code: string; readonly message: string }[];
  readonly rejectedTotal?: number;
}

/** Larger batches cost less per event, at the cost of more to repeat when one fails. */
const batchLines = 2_000;
const batchBytes = 1 << 20;
const attempts = 6;
const firstPauseMs = 200;

/**
 * Posts events in batches to /events, one batch after the other. Every batch carries an Idempotency-Key, so that a
 * batch whose answer was lost can be sent again without being counted twice.
 */
export class Poster {
  accepted = 0;
  readonly rejected: RejectedLine[] = [];
  rejectedTotal = 0;
  #batch: Line[] = [];
  #bytes = 0;
  readonly #server: string;

  constructor(server: string) {
    this.#server = server;
  }

  /** @throws CommandFailure saying from which line on nothing was counted */
  async add(number: number, json: string): Promise<void> {
    this.#batch.push({ number, json });
    this.#bytes += json.length;
    if (this.#batch.length >= batchLines || this.#bytes >= batchBytes) await this.flush();
  }

  reject(line: RejectedLine): void {
    this.rejected.push(line);
    this.rejectedTotal += 1;
  }

  async flush(): Promise<void> {
    const batch = this.#batch;
    if (batch.length === 0) return;
    this.#batch = [];
    this.#bytes = 0;
    const reply = await this.#post(batch);
    const { accepted, rejected, rejectedTotal } = readAnswer(reply, batch);
    this.accepted += accepted;
    this.rejectedTotal += rejectedTotal ?? rejected.length;
    for (const { index, code, message } of rejected) {
      this.rejected.push({ line: batch[index]?.number ?? batch[0]!.number, code, message });
    }
  }

  async #post(batch: readonly Line[]): Promise<Reply> {
    const content = batch.map((line) => line.json).join('\n');
    const headers = { 'idempotency-key': randomUUID() };
    for (let attempt = 1; ; attempt += 1) {
      let failure: CommandFailure;
      try {
        const reply = await ask(this.#server, {
          path: '/events',
          method: 'POST',
          accept: 'application/json',
          body: { type: 'application/x-ndjson', content, headers },
        });
        const isRetryable = reply.status === 503 || reply.status === 504 || reply.status === 429;
        if (!isRetryable) return reply;
        const { code, message } = faultOf(reply);
        failure = new CommandFailure(explainFault(code, message));
      } catch (error) {
        // The first batch may meet a server that was never there: no use in waiting for that.
        if (!(error instanceof CommandFailure) || this.accepted === 0) throw error;
        failure = error;
      }
      if (attempt === attempts) throw new CommandFailure(`${span(batch)}: ${failure.message}`);
      await pause(firstPauseMs * 2 ** (attempt - 1) * (0.5 + Math.random()));
    }
  }
}

function span(batch: readonly Line[]): string {
  const first = batch[0]!.number;
  const last = batch[batch.length - 1]!.number;
  return first === last ? `line ${first}` : `lines ${first} to ${last}`;
}

/** The counts of an answer; a body of which nothing was accepted is answered 400 with the same list. */
function readAnswer(reply: Reply, batch: readonly Line[]): EventsAnswer {
  try {
    const answer = JSON.parse(reply.body) as Partial<EventsAnswer>;
    if (Array.isArray(answer.rejected))
      return { ...answer, accepted: answer.accepted ?? 0, rejected: answer.rejected };
  } catch {
    // Said below in the server's own words.
  }
  const { code, message } = faultOf(reply);
  throw new CommandFailure(`${span(batch)}: ${explainFault(code, message)}`);
}

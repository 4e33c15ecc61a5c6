import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { NoAnswer, ServerFault } from '../../client/ask-server.js';
import { explained, postEvents } from '../reach.js';
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
/** All are counted; a file of a million wrong lines must not fill the memory. */
const keptRejections = 1_000;
const attempts = 6;
const firstPauseMs = 200;
/** A line of the body, which is not the one of the input. */
const lineOfBatch = /^line \d+: /;
const retried: ReadonlySet<number> = new Set([429, 503, 504]);

/**
 * Posts events in batches to /events, one batch after the other. Every batch carries an Idempotency-Key, so that a
 * batch whose answer was lost can be sent again without being counted twice: by servers never, by an agent not for as long as it
 * remembers (docs/protocol.md).
 */
export class Poster {
  accepted = 0;
  /** The first of them. */
  readonly rejected: RejectedLine[] = [];
  rejectedTotal = 0;
  #batch: Line[] = [];
  #bytes = 0;
  readonly #server: string;

  constructor(server: string) {
    this.#server = server;
  }

  /** @param number of the line; 0 for an event that has none @throws CommandFailure naming the lines that were not answered for */
  async add(number: number, json: string): Promise<void> {
    this.#batch.push({ number, json });
    this.#bytes += json.length;
    if (this.#batch.length >= batchLines || this.#bytes >= batchBytes) await this.flush();
  }

  reject(line: RejectedLine): void {
    this.rejectedTotal += 1;
    if (this.rejected.length < keptRejections) this.rejected.push(line);
  }

  async flush(): Promise<void> {
    const batch = this.#batch;
    if (batch.length === 0) return;
    this.#batch = [];
    this.#bytes = 0;
    const { accepted, rejected, rejectedTotal } = await this.#post(batch);
    this.accepted += accepted;
    for (const { index, code, message } of rejected) {
      const line = batch[index]?.number ?? batch[0]!.number;
      this.reject({ line, code, message: message.replace(lineOfBatch, '') });
    }
    // A server names only so many.
    this.rejectedTotal += (rejectedTotal ?? rejected.length) - rejected.length;
  }

  async #post(batch: readonly Line[]): Promise<EventsAnswer> {
    const content = batch.map((line) => line.json).join('\n');
    const key = randomUUID();
    for (let attempt = 1; ; attempt += 1) {
      try {
        return JSON.parse(await postEvents(this.#server, content, key)) as EventsAnswer;
      } catch (error) {
        const answer = rejectionsIn(error);
        if (answer !== undefined) return answer;
        if (!this.#mayPass(error) || attempt === attempts) throw withLines(explained(error), batch);
      }
      await pause(firstPauseMs * 2 ** (attempt - 1) * (0.5 + Math.random()));
    }
  }

  /** Whether it may go better a little later. The first batch may meet a server that was never there: no use in waiting. */
  #mayPass(error: unknown): boolean {
    if (error instanceof ServerFault) return retried.has(error.status);
    return error instanceof NoAnswer && this.accepted > 0;
  }
}

function withLines(error: unknown, batch: readonly Line[]): unknown {
  // A line 0 is the command itself.
  const hasLines = error instanceof CommandFailure && batch[0]!.number > 0;
  return hasLines ? new CommandFailure(`${span(batch)}: ${error.message}`) : error;
}

function span(batch: readonly Line[]): string {
  const first = batch[0]!.number;
  const last = batch[batch.length - 1]!.number;
  return first === last ? `line ${first}` : `lines ${first} to ${last}`;
}

/** A body of which nothing was accepted is answered 400, with the same list. */
function rejectionsIn(error: unknown): EventsAnswer | undefined {
  if (!(error instanceof ServerFault)) return undefined;
  try {
    const answer = JSON.parse(error.body) as Partial<EventsAnswer>;
    return Array.isArray(answer.rejected) ? { accepted: 0, ...answer, rejected: answer.rejected } : undefined;
  } catch {
    return undefined;
  }
}

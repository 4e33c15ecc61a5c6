import { randomBytes } from 'node:crypto';
import { TabaError } from '../core/errors.js';
import { checkClientId, maxNameBytes } from '../core/names.js';
import { Backoff } from '../runtime/backoff.js';
import { systemClock } from '../runtime/system-clock.js';
import type { FrameLink } from '../transport/frame-link.js';
import { connectFrames, framesUrl } from '../transport/outbound/frame-client.js';
import type { FlushNack, Frame, Hello, RawAck, TabDefinition } from '../wire/frame.js';
import { type RawColumns, writeRawColumns } from '../wire/raw-columns.js';
import type { LossReason } from './engine.js';
import { FlushSession } from './flush-session.js';

export interface RawSenderOptions {
  /** Whose the events are. */
  readonly clientId: string;
  /** The agent on this host, or a server. Default: `http://127.0.0.1:8279`. */
  readonly url?: string;
  /** Default: 5,000. */
  readonly connectTimeoutMs?: number;
  /** Default: 30,000. */
  readonly answerTimeoutMs?: number;
}

/** Numbers in columns: see wire/raw-columns.ts. `tabs` are what `tab` answered. They must not change until they are answered for. */
export type RawBatch = RawColumns;

/** What became of a batch. */
export type RawOutcome =
  /** Counted, but for those that were rejected. A repeat says nothing of these: it was answered before, and the answer went missing. */
  | ({ readonly kind: 'taken' } & Pick<
      RawAck,
      'repeat' | 'accepted' | 'clamped' | 'rejectedTotal' | 'rejected'
    >)
  /** Not counted; or of unknown fate, where `reason` is `agent_restarted` or `closed`. */
  | { readonly kind: 'lost'; readonly reason: LossReason; readonly message: string };

interface OpenBatch {
  readonly columns: ReturnType<typeof writeRawColumns>;
  readonly events: number;
  readonly settle: (outcome: RawOutcome) => void;
}

/** An answer lists a thousand rejections, whose messages may be long. */
const maxFrameBytes = 2 ** 24;
/** A frame around its columns: kind, session, number, client. */
const frameOverheadBytes = 2048;
/** A definition beside its name and type: three numbers of msgpack. */
const definitionOverheadBytes = 16;
/** At most, of one UTF-16 unit as UTF-8. */
const bytesPerUnit = 3;
/** No name is so long, nor a type: what is clipped to it is refused as such. A frame with a very long text would be refused as a whole. */
const maxDefinedLength = maxNameBytes + 1;

/**
 * Hands events over without folding them, for programs that have many numbers at hand already. One batch is under way at a time,
 * numbered (rule R9), and sent again over a new connection until it is answered for: by the same agent it is counted once, whatever
 * happens. Keeps the process alive until it is closed.
 */
export class RawSender {
  readonly #options: Required<RawSenderOptions>;
  readonly #clock = systemClock();
  readonly #session = new FlushSession();
  readonly #backoff = new Backoff({ firstMs: 100, maxMs: 5000 });
  readonly #id = randomBytes(16).toString('hex');
  readonly #definitions: TabDefinition[] = [];
  /** How many of them the other side of the present link knows. */
  #told = 0;
  #link: FrameLink | undefined;
  #hello: Hello | undefined;
  #open: OpenBatch | undefined;
  /** Whether the open batch was handed to the present link. */
  #isSent = false;
  #isClosed = false;
  #last: Promise<unknown> = Promise.resolve();
  #callOffTimer = () => {};

  /** @throws TabaError `bad_client`, `bad_setting` */
  constructor({ clientId, url, connectTimeoutMs, answerTimeoutMs }: RawSenderOptions) {
    this.#options = {
      clientId: checkClientId(clientId),
      url: url ?? 'http://127.0.0.1:8279',
      connectTimeoutMs: connectTimeoutMs ?? 5000,
      answerTimeoutMs: answerTimeoutMs ?? 30_000,
    };
    framesUrl(this.#options.url);
  }

  /** A number for the tab, to be used in the batches of this sender. Ask once. */
  tab(name: string, type: string): number {
    const id = this.#definitions.length;
    this.#definitions.push({
      id,
      name: name.slice(0, maxDefinedLength),
      type: type.slice(0, maxDefinedLength),
    });
    return id;
  }

  /** Resolves when the batch was answered for. Several wait for each other. @throws TabaError `corrupt` for columns that do not fit */
  send(batch: RawBatch): Promise<RawOutcome> {
    const sent = this.#last.then(() => this.#begin(batch));
    this.#last = sent.catch(() => {});
    return sent;
  }

  /** What is under way is given up. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#callOffTimer();
    this.#link?.close('the sender is closed');
    this.#session.abandon();
    this.#settle({ kind: 'lost', reason: 'closed', message: 'the sender was closed' });
  }

  #begin(batch: RawBatch): Promise<RawOutcome> | RawOutcome {
    checkColumns(batch);
    if (this.#isClosed) return { kind: 'lost', reason: 'closed', message: 'the sender is closed' };
    const events = batch.values.length;
    if (events === 0)
      return { kind: 'taken', repeat: false, accepted: 0, clamped: 0, rejectedTotal: 0, rejected: [] };
    const columns = writeRawColumns(batch);
    return new Promise((settle) => {
      this.#open = { columns, events, settle };
      this.#isSent = false;
      this.#push();
    });
  }

  #settle(outcome: RawOutcome): void {
    const open = this.#open;
    this.#open = undefined;
    open?.settle(outcome);
  }

  #push(): void {
    if (this.#isClosed || this.#open === undefined || this.#isSent) return;
    if (this.#link === undefined) this.#connect();
    else if (this.#hello !== undefined) this.#send(this.#link, this.#hello, this.#open);
  }

  #send(link: FrameLink, hello: Hello, { columns, events }: OpenBatch): void {
    const { tabs, counts, seconds, values } = columns;
    const bytes = frameOverheadBytes + tabs.length + counts.length + seconds.length + values.length;
    if (bytes > hello.maxFrameBytes) {
      const message = `a batch of ${bytes} bytes; frames of ${hello.maxFrameBytes} are allowed`;
      // Sent before, to an agent that took more: what comes next must not be taken for its repeat.
      const reason = this.#session.abandon() > 0 ? 'agent_restarted' : 'too_large';
      this.#settle({ kind: 'lost', reason, message });
      return;
    }
    while (this.#told < this.#definitions.length) {
      const until = this.#definedWithin(hello.maxFrameBytes);
      if (!link.trySend({ kind: 'define-tabs', tabs: this.#definitions.slice(this.#told, until) })) return;
      this.#told = until;
    }
    // Only now: what never goes out takes no number.
    if (!this.#session.isOpen) this.#session.begin(columns.values, events);
    const { session, number } = this.#session.frame()!;
    const client = this.#options.clientId;
    if (!link.trySend({ kind: 'push-raw', session, number, client, ...columns })) return;
    this.#isSent = true;
    this.#session.sent();
    this.#await(this.#options.answerTimeoutMs, 'no answer to a batch');
  }

  /** @returns where the definitions end that go into the next frame, at least one */
  #definedWithin(maxBytes: number): number {
    let until = this.#told;
    let bytes = frameOverheadBytes;
    for (; until < this.#definitions.length; until++) {
      const { name, type } = this.#definitions[until]!;
      bytes += definitionOverheadBytes + (name.length + type.length) * bytesPerUnit;
      if (bytes > maxBytes && until > this.#told) break;
    }
    return until;
  }

  /** Cuts the connection unless something else comes first. */
  #await(timeoutMs: number, what: string): void {
    this.#callOffTimer();
    this.#callOffTimer = this.#clock.after(timeoutMs, () =>
      this.#link?.close(`${what} within ${timeoutMs} ms`),
    );
  }

  #connect(): void {
    const { url, connectTimeoutMs } = this.#options;
    this.#told = 0;
    this.#isSent = false;
    this.#link = connectFrames(
      { url, maxFrameBytes, connectTimeoutMs, maxBufferedBytes: 64 * 2 ** 20, clock: this.#clock },
      {
        open: (link) => {
          link.trySend(this.#ownHello());
          this.#await(connectTimeoutMs, 'no hello');
        },
        frame: (link, frame) => {
          if (link === this.#link) this.#take(frame);
        },
        drain: () => this.#push(),
        closed: () => this.#disconnected(),
      },
    );
  }

  #ownHello(): Hello {
    return {
      ...{ kind: 'hello', versions: [2], role: 'sdk', id: this.#id, name: this.#options.clientId },
      ...{ maxFrameBytes, maxInFlight: 1, nowMs: this.#clock.nowMs() },
    };
  }

  #disconnected(): void {
    this.#link = undefined;
    this.#hello = undefined;
    this.#isSent = false;
    this.#callOffTimer();
    if (this.#isClosed || this.#open === undefined) return;
    // Not a timer of the clock: that one would let the process end while somebody waits for the answer.
    setTimeout(() => this.#push(), this.#backoff.nextMs());
  }

  #take(frame: Frame): void {
    if (frame.kind === 'hello') this.#greeted(frame);
    else if (frame.kind === 'raw-ack' || frame.kind === 'flush-nack') this.#answered(frame);
    else if (frame.kind === 'error' && frame.fatal) this.#link?.close(`${frame.code}: ${frame.message}`);
  }

  #greeted(hello: Hello): void {
    this.#callOffTimer();
    if (!hello.versions.includes(2)) {
      this.#link?.close(`the other side speaks versions ${hello.versions.join(', ')}, not 2`);
      return;
    }
    this.#hello = hello;
    this.#backoff.reset();
    if (this.#session.meet(hello.id) > 0) {
      const message = 'the agent was restarted before it answered';
      this.#settle({ kind: 'lost', reason: 'agent_restarted', message });
    }
    this.#push();
  }

  #answered(answer: RawAck | FlushNack): void {
    const { session, number } = answer;
    const ack = { kind: 'flush-ack', session, number, rejected: [] } as const;
    const outcome = this.#session.take(answer.kind === 'raw-ack' ? ack : answer);
    if (outcome.kind === 'none') return;
    this.#callOffTimer();
    if (outcome.kind === 'again') {
      const open = this.#open;
      setTimeout(() => {
        if (this.#open !== open) return;
        this.#isSent = false;
        this.#push();
      }, outcome.afterMs);
    } else if (answer.kind === 'raw-ack') {
      const { repeat, accepted, clamped, rejectedTotal, rejected } = answer;
      this.#settle({ kind: 'taken', repeat, accepted, clamped, rejectedTotal, rejected });
    } else if (outcome.kind === 'lost') {
      this.#settle({ kind: 'lost', reason: outcome.reason, message: outcome.message });
    }
  }
}

function checkColumns({ tabs, counts, seconds, values }: RawBatch): void {
  const events = counts.reduce((sum, count) => sum + count, 0);
  const fitSeconds = seconds.length <= 1 || seconds.length === tabs.length;
  if (counts.length === tabs.length && fitSeconds && events === values.length) return;
  throw new TabaError(
    'corrupt',
    `columns that do not fit: ${tabs.length} tabs, ${counts.length} counts of ${events}, ${seconds.length} seconds, ${values.length} values`,
  );
}

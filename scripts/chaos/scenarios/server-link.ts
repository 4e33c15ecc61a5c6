import { setTimeout as pause } from 'node:timers/promises';
import type { Answer, Block } from '../../../src/core/block.js';
import type { FrameLink } from '../../../src/transport/frame-link.js';
import { connectFrames } from '../../../src/transport/outbound/frame-client.js';
import type { Frame } from '../../../src/wire/frame.js';
import { ScenarioFailure } from './scenario.js';

/** The connection was lost before an answer came: nothing is known. */
export type Outcome = Answer | { readonly kind: 'lost' };

const maxFrameBytes = 16 * 2 ** 20;

/** A v2 connection to a server, as an agent has one; what is sent on it, and when, is up to the scenario. */
export class ServerLink {
  readonly #waiting = new Map<string, ((outcome: Outcome) => void)[]>();
  #link: FrameLink | undefined;
  #closed = false;

  private constructor() {}

  /** @throws where there is no connection, or the server refuses it */
  static async connect(url: string, id: string, buckets: number): Promise<ServerLink> {
    const opened = new ServerLink();
    await new Promise<void>((resolve, reject) => {
      connectFrames(
        { url, maxFrameBytes, connectTimeoutMs: 2000, silenceMs: 120_000 },
        {
          open: (link) => {
            opened.#link = link;
            link.trySend({
              kind: 'hello',
              versions: [2],
              role: 'agent',
              id,
              name: 'scenario',
              bucketCount: buckets,
              hash: 'xxh32',
              generation: 1,
              maxFrameBytes,
              maxInFlight: 1024,
              nowMs: Date.now(),
            });
          },
          frame: (_link, frame) => {
            if (frame.kind === 'hello') resolve();
            else opened.#take(frame);
          },
          closed: (_link, reason) => {
            opened.#lost();
            reject(new Error(`${url}: ${reason}`));
          },
        },
      );
    });
    return opened;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Sends a Block once. Resolves with what the server says to it, whenever that is. */
  push(block: Block): Promise<Outcome> {
    if (this.#closed || this.#link === undefined) return Promise.resolve({ kind: 'lost' });
    return new Promise((resolve) => {
      const key = keyOf(block);
      this.#waiting.set(key, [...(this.#waiting.get(key) ?? []), resolve]);
      if (!this.#link?.trySend({ kind: 'push-blocks', blocks: [block] })) resolve({ kind: 'lost' });
    });
  }

  close(): void {
    this.#link?.close('the scenario is over');
    this.#lost();
  }

  #take(frame: Frame): void {
    if (frame.kind !== 'ack' && frame.kind !== 'nack') return;
    for (const { answer, ...block } of frame.answers) {
      const waiting = this.#waiting.get(keyOf(block)) ?? [];
      waiting.shift()?.(answer);
      if (waiting.length === 0) this.#waiting.delete(keyOf(block));
    }
  }

  #lost(): void {
    this.#closed = true;
    for (const waiting of this.#waiting.values()) for (const resolve of waiting) resolve({ kind: 'lost' });
    this.#waiting.clear();
  }
}

function keyOf({ bucket, producer, seq }: Pick<Block, 'bucket' | 'producer' | 'seq'>): string {
  return `${producer} ${bucket} ${seq}`;
}

export interface DeliverOptions {
  readonly id: string;
  readonly buckets: number;
  readonly deadlineMs?: number;
  /** An answer came; `waitedMs` since the Block was first sent. */
  readonly answered?: (block: Block, answer: Outcome, waitedMs: number) => void;
}

/**
 * Does what an agent does: sends the Blocks of each bucket in their order, each until it is acknowledged, to one server
 * after the other where one does not answer.
 *
 * @throws ScenarioFailure for an answer that no agent could do anything with, and when it takes too long
 */
export async function deliver(
  blocks: readonly Block[],
  urls: readonly string[],
  options: DeliverOptions,
): Promise<void> {
  const endMs = performance.now() + (options.deadlineMs ?? 30_000);
  const links = new Map<string, Promise<ServerLink>>();
  const byBucket = new Map<number, Block[]>();
  for (const block of blocks) byBucket.set(block.bucket, [...(byBucket.get(block.bucket) ?? []), block]);
  try {
    await Promise.all(
      [...byBucket.values()].map(async (line) => {
        for (const block of line) await untilAcknowledged(block, urls, links, endMs, options);
      }),
    );
  } finally {
    for (const link of links.values())
      await link.then(
        (open) => open.close(),
        () => {},
      );
  }
}

async function untilAcknowledged(
  block: Block,
  urls: readonly string[],
  links: Map<string, Promise<ServerLink>>,
  endMs: number,
  { id, buckets, answered }: DeliverOptions,
): Promise<void> {
  const beganMs = performance.now();
  let last = 'nothing was heard';
  for (let turn = 0; performance.now() < endMs; ) {
    const url = urls[turn % urls.length]!;
    const outcome = await pushOnce(block, url, links, id, buckets);
    answered?.(block, outcome, performance.now() - beganMs);
    if (outcome.kind === 'acknowledged') {
      if (outcome.rejected.length > 0) throw new ScenarioFailure(`${JSON.stringify(outcome.rejected)}`);
      return;
    }
    if (outcome.kind === 'expects' || outcome.kind === 'unknown_producer' || outcome.kind === 'closed') {
      throw new ScenarioFailure(
        `bucket ${block.bucket} answers ${JSON.stringify(outcome)} to Block ${block.seq}`,
      );
    }
    last = outcome.kind;
    if (outcome.kind !== 'busy') turn++;
    await pause(outcome.kind === 'busy' ? Math.min(outcome.retryAfterMs, 200) : 100);
  }
  throw new ScenarioFailure(`Block ${block.seq} of bucket ${block.bucket} is not taken: ${last}`);
}

/** A server that says nothing for so long is left, as an agent leaves it. */
const answerTimeoutMs = 5000;

async function pushOnce(
  block: Block,
  url: string,
  links: Map<string, Promise<ServerLink>>,
  id: string,
  buckets: number,
): Promise<Outcome> {
  try {
    let link = await links.get(url)?.catch(() => undefined);
    if (link === undefined || link.closed) {
      const connecting = ServerLink.connect(url, id, buckets);
      links.set(url, connecting);
      link = await connecting;
    }
    const late = new AbortController();
    const timeout = pause(answerTimeoutMs, undefined, { signal: late.signal }).then(
      (): Outcome => ({ kind: 'lost' }),
      (): Outcome => ({ kind: 'lost' }),
    );
    const outcome = await Promise.race([link.push(block), timeout]);
    late.abort();
    return outcome;
  } catch {
    return { kind: 'lost' };
  }
}

import type { EndPoint } from '../../src/agent/forward/endpoints.js';
import type { Answer, Block } from '../../src/core/block.js';
import { builtinHandlers } from '../../src/core/handlers/registry.js';
import type { Seq } from '../../src/core/ids.js';
import type { FrameLink, FrameLinkEvents } from '../../src/transport/frame-link.js';
import type { Frame, Hello } from '../../src/wire/frame.js';
import { readParts } from '../../src/wire/parts.js';
import type { FakeClock } from '../support/fake-clock.js';

export const handlers = builtinHandlers();

/** How one end-point behaves; a test changes it as it goes. */
export interface Behaviour {
  latencyMs: number;
  /** Takes what comes, and never answers. */
  frozen: boolean;
  /** Refuses connections. */
  down: boolean;
  /** Says this of a Block instead of asking the owner; undefined: the owner is asked. */
  instead: (block: Block) => Answer | 'silence' | undefined;
  /** Counts the Block, and loses the answer. */
  losesAnswer: (block: Block) => boolean;
  hello: Partial<Hello>;
}

/**
 * A cluster as an agent sees it: end-points by URL, and behind all of them the same owners, who take each number once.
 * Everything happens on the test's clock.
 */
export class FakeServers {
  readonly behaviour = new Map<string, Behaviour>();
  readonly counts = new Map<string, number>();
  /** Blocks in the order in which they were counted. */
  readonly applied: Block[] = [];
  repeats = 0;
  gaps = 0;
  readonly blocksOf = new Map<string, number>();
  readonly #last = new Map<string, number>();
  readonly #bytes = new Map<string, string>();
  readonly #clock: FakeClock;
  readonly #links = new Map<string, Set<{ drop(reason: string): void }>>();
  readonly faults: string[] = [];

  constructor(
    clock: FakeClock,
    urls: readonly string[],
    readonly bucketCount = 8,
  ) {
    this.#clock = clock;
    for (const url of urls) {
      this.behaviour.set(url, {
        latencyMs: 5,
        frozen: false,
        down: false,
        instead: () => undefined,
        losesAnswer: () => false,
        hello: {},
      });
    }
  }

  at(url: string): Behaviour {
    const found = this.behaviour.get(url);
    if (found === undefined) throw new Error(`no such end-point: ${url}`);
    return found;
  }

  get events(): number {
    let sum = 0;
    for (const events of this.counts.values()) sum += events;
    return sum;
  }

  /** Forgets what it has counted of every producer, as a store that was put back does. */
  lose(): void {
    this.#last.clear();
    this.#bytes.clear();
  }

  /** Cuts all connections of an end-point. */
  cut(url: string): void {
    for (const link of [...(this.#links.get(url) ?? [])]) link.drop('cut');
  }

  readonly connect = ({ url }: EndPoint, events: FrameLinkEvents): { close(reason: string): void } => {
    let open = true;
    const later = (action: () => void): void => {
      this.#clock.after(this.at(url).latencyMs / 2, () => {
        if (open) action();
      });
    };
    const link: FrameLink = {
      peer: url,
      bufferedBytes: 0,
      trySend: (frame) => {
        if (!open) return false;
        later(() => this.#receive(url, frame, (answer) => later(() => events.frame(link, answer))));
        return true;
      },
      close: (reason) => drop(reason),
    };
    const drop = (reason: string): void => {
      if (!open) return;
      open = false;
      this.#links.get(url)?.delete(handle);
      events.closed(link, reason);
    };
    const handle = { drop };
    later(() => {
      if (this.at(url).down) return drop('refused');
      const links = this.#links.get(url) ?? new Set();
      links.add(handle);
      this.#links.set(url, links);
      events.open?.(link);
    });
    return { close: drop };
  };

  #receive(url: string, frame: Frame, reply: (frame: Frame) => void): void {
    const behaviour = this.at(url);
    if (behaviour.frozen) return;
    if (frame.kind === 'hello') {
      reply({
        kind: 'hello',
        versions: [2],
        role: 'server',
        id: 'f'.repeat(32),
        name: url,
        bucketCount: this.bucketCount,
        hash: 'xxh32',
        generation: 1,
        maxFrameBytes: 2 ** 20,
        maxInFlight: 4,
        nowMs: this.#clock.nowMs(),
        ...behaviour.hello,
      });
      return;
    }
    if (frame.kind !== 'push-blocks') throw new Error(`unexpected ${frame.kind}`);
    for (const block of frame.blocks) {
      const answer = behaviour.instead(block) ?? this.#own(url, block);
      if (answer === 'silence' || behaviour.losesAnswer(block)) continue;
      const { bucket, producer, seq } = block;
      const kind = answer.kind === 'acknowledged' ? 'ack' : 'nack';
      reply({ kind, answers: [{ bucket, producer, seq, answer }] });
    }
  }

  #own(url: string, block: Block): Answer {
    const key = `${block.producer} ${block.bucket}`;
    const last = this.#last.get(key) ?? 0;
    const bytes = Buffer.from(block.payload).toString('hex');
    if (block.seq <= last) {
      this.repeats++;
      if (this.#bytes.get(`${key} ${block.seq}`) !== bytes)
        this.faults.push(`${key} ${block.seq} came with other bytes`);
      return { kind: 'acknowledged', repeat: true, rejected: [] };
    }
    if (block.seq !== last + 1) {
      this.gaps++;
      return { kind: 'expects', seq: (last + 1) as Seq };
    }
    this.#last.set(key, block.seq);
    this.#bytes.set(`${key} ${block.seq}`, bytes);
    this.applied.push(block);
    this.blocksOf.set(url, (this.blocksOf.get(url) ?? 0) + 1);
    for (const { tab, client, events } of readParts(block.payload)) {
      this.counts.set(`${tab} ${client}`, (this.counts.get(`${tab} ${client}`) ?? 0) + events);
    }
    return { kind: 'acknowledged', repeat: false, rejected: [] };
  }
}

import type { ProducerId } from '../../src/core/ids.js';
import type { Cluster } from './cluster.js';
import { encode, partsOf, type SimEvent } from './payload.js';
import type { SimAgent } from './sim-agent.js';
import { epochMs, SimNode } from './world.js';

function someEvents(cluster: Cluster): SimEvent[] {
  const events: SimEvent[] = [];
  for (let i = cluster.world.below(4); i >= 0; i--) {
    const event = cluster.ledger.newEvent();
    if (event !== undefined) events.push(event);
  }
  return events;
}

interface Flush {
  readonly number: number;
  readonly events: readonly SimEvent[];
  readonly payload: Uint8Array;
}

/** An application with an SDK: up to two flushes in flight, sent again until they are answered (R9). */
export class SimSdk {
  readonly #cluster: Cluster;
  readonly #agent: SimAgent;
  readonly #node = new SimNode('sdk');
  #session: string;
  #next = 1;
  #flushes: Flush[] = [];

  constructor(cluster: Cluster, agent: SimAgent) {
    this.#cluster = cluster;
    this.#agent = agent;
    this.#session = agent.newSession();
    this.#retry();
  }

  get idle(): boolean {
    return this.#flushes.length === 0;
  }

  record(): void {
    if (this.#flushes.length >= 2) return;
    const events = someEvents(this.#cluster);
    const payload = encode(
      partsOf(events, epochMs + this.#cluster.world.nowMs, this.#cluster.profile.groups),
    );
    const flush = { number: this.#next++, events, payload };
    this.#flushes.push(flush);
    this.#send(flush);
  }

  #send(flush: Flush): void {
    const { number, payload, events } = flush;
    const session = this.#session;
    this.#cluster.deliver(this.#agent.node, () => {
      // The connection of a session that was given up is closed.
      if (session !== this.#session) return;
      this.#agent.flush(session, number, payload, (answer) => {
        // Accepted here: whatever happens to the answer, it must be counted.
        if (answer.kind === 'ok') this.#cluster.ledger.promise(events, 'certain');
        this.#cluster.deliver(this.#node, () => {
          if (session !== this.#session) return;
          if (answer.kind === 'ok') this.#flushes = this.#flushes.filter((open) => open.number !== number);
          else if (answer.expected < (this.#flushes[0]?.number ?? 0)) this.#restart();
          else if (this.#cluster.world.chance(0.3)) for (const open of this.#flushes) this.#send(open);
        });
      });
    });
  }

  /** The agent does not know the session: what is not answered is never sent again (R9). */
  #restart(): void {
    for (const { events } of this.#flushes) this.#cluster.ledger.promise(events, 'unsure');
    this.#flushes = [];
    this.#session = this.#agent.newSession();
    this.#next = 1;
  }

  #retry(): void {
    for (const flush of this.#flushes) this.#send(flush);
    this.#cluster.world.after(350, () => this.#retry());
  }
}

/** Who posts a body gives it up after so long: with what a server tries afterwards, that is less than what forgetting takes. */
const keyLifeMs = 1200;

interface Body {
  readonly events: readonly SimEvent[];
  readonly key: ProducerId | undefined;
  readonly sinceMs: number;
  done: boolean;
}

/** Somebody who posts raw bodies to servers: with a key again until it is answered, without a key once. */
export class SimPoster {
  readonly #cluster: Cluster;
  readonly #node = new SimNode('poster');
  #waiting = 0;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  get idle(): boolean {
    return this.#waiting === 0;
  }

  post(): void {
    const { world, ledger } = this.#cluster;
    const events = someEvents(this.#cluster);
    ledger.promise(events, 'unsure');
    const key = world.chance(0.5) ? (world.id() as ProducerId) : undefined;
    const body = { events, key, sinceMs: world.nowMs, done: false };
    if (key !== undefined) this.#waiting++;
    this.#try(body);
  }

  #try(body: Body): void {
    const { world, ledger, servers, profile } = this.#cluster;
    const { events, key } = body;
    const server = servers[world.below(servers.length)]!;
    this.#cluster.deliver(
      server.node,
      () => {
        // One that lay with a frozen server for longer than a key is good for would be counted anew.
        if (this.#isOld(body)) return;
        const parts = partsOf(events, epochMs + world.nowMs, profile.groups);
        const text = events.map(({ tab, client, bit }) => `${tab} ${client}: ${bit}`).join(', ');
        world.log(() => `${server.node.name}: posted ${key?.slice(0, 4) ?? 'without a key'} (${text})`);
        server.post(parts, key, (outcome) => {
          if (outcome === 'counted') ledger.promise(events, 'certain');
          if (outcome === 'given up') return;
          this.#cluster.deliver(this.#node, () => this.#done(body));
        });
      },
      key !== undefined,
    );
    if (key === undefined) return;
    world.after(700, () => {
      if (this.#isOld(body)) this.#done(body);
      else if (!body.done) this.#try(body);
    });
  }

  #isOld({ key, sinceMs }: Body): boolean {
    const { world, profile } = this.#cluster;
    return key !== undefined && profile.forget > 0 && world.nowMs - sinceMs > keyLifeMs;
  }

  #done(body: Body): void {
    if (body.key !== undefined && !body.done) this.#waiting--;
    body.done = true;
  }
}

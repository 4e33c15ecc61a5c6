import type { Answer, Block } from '../../core/block.js';
import type { BucketIndex } from '../../core/ids.js';
import type { Clock } from '../../runtime/clock.js';
import type { Log } from '../../runtime/log.js';
import type { Coordination, Member } from '../../storage/coordination.js';
import type { Hello } from '../../wire/frame.js';
import type { AssignedPlace } from '../reduce/held-bucket.js';
import type { Owners } from '../reduce/owners.js';
import type { Cluster } from './cluster.js';
import { Holders } from './holders.js';
import { Membership } from './membership.js';
import { Ownership, releaseQuestion } from './ownership.js';
import type { PeerLinkOptions } from './peer-link.js';
import type { Questions } from './peers.js';
import { ServerPeers } from './server-peers.js';

export interface SharedClusterOptions {
  readonly coordination: Coordination;
  readonly owners: Owners;
  readonly heartbeatMs: number;
  readonly leaseMs: number;
  readonly maxFrameBytes: number;
  /** This server, as it is now. */
  describe(): Member;
  readonly hello: () => Hello;
  readonly clock: Clock;
  readonly log: Log;
  /** Links to other servers; the simulation has its own. */
  readonly connect?: PeerLinkOptions['connect'];
}

/** What a producer is told where neither of those who may hold the bucket does: it is being handed over. */
const retryAfterMs = 50;
/** What it is told where there is nobody who could. */
const retryAfterOrphanedMs = 500;
/** How long a start may wait for the buckets that are assigned here. */
const servedWithinMs = 10_000;
const lookMs = 20;
/** The question by which the leader says that there is a new assignment. */
const lookQuestion = 'look';
const nothing = new Uint8Array();

/** One server of several on one store. */
export class SharedCluster implements Cluster {
  readonly peers: ServerPeers;
  readonly questions: Questions;
  readonly #options: SharedClusterOptions;
  readonly #membership: Membership;
  readonly #holders: Holders;
  readonly #ownership: Ownership;
  /** Buckets without an owner. */
  #orphans: number;

  constructor(options: SharedClusterOptions) {
    const { coordination, owners, heartbeatMs, leaseMs, describe, clock, log } = options;
    const { bucketCount } = owners;
    this.#options = options;
    this.#orphans = bucketCount;
    this.#holders = new Holders(bucketCount);
    this.#membership = new Membership({
      ...{ coordination, bucketCount, heartbeatMs, leaseMs, describe, clock, log },
      learnt: (lapsed) => this.#learn(lapsed),
      published: () => this.#tellOthers(),
    });
    this.peers = new ServerPeers({
      self: describe().id,
      membership: this.#membership,
      holders: this.#holders,
      hello: options.hello,
      maxFrameBytes: options.maxFrameBytes,
      silenceMs: 2 * leaseMs,
      clock,
      ...(options.connect !== undefined && { connect: options.connect }),
    });
    this.#ownership = new Ownership({
      owners,
      membership: this.#membership,
      holders: this.#holders,
      peers: this.peers,
      ...{ leaseMs, clock, log },
    });
    this.questions = {
      [releaseQuestion]: (body) => this.#ownership.release(body),
      [lookQuestion]: async () => {
        void this.#membership.refresh();
        return nothing;
      },
    };
  }

  /** Saves up to one heartbeat until everybody knows; whoever is not reached knows then. */
  #tellOthers(): void {
    const { peers } = this;
    for (const { id } of peers.members()) {
      if (id !== peers.self) peers.ask(id, lookQuestion, nothing, this.#options.leaseMs).catch(() => {});
    }
  }

  #learn(lapsed: boolean): void {
    const { assignment, members } = this.#membership;
    if (assignment !== undefined) {
      this.#holders.learn(assignment, new Set(members.map(({ id }) => id)));
      this.#orphans = assignment.owners.filter((owner) => owner === undefined).length;
    }
    this.peers.forgetDead();
    this.#ownership.learn(lapsed);
  }

  async deliver(block: Block): Promise<Answer> {
    const { owners } = this.#options;
    // The one who is believed to hold it, and then the only other who may.
    for (let attempt = 0; attempt < 2; attempt++) {
      const holder = this.#holders.holderOf(block.bucket);
      if (holder === undefined) return { kind: 'busy', retryAfterMs: retryAfterOrphanedMs };
      const answer =
        holder === this.peers.self ? await owners.take(block) : await this.peers.push(holder, block);
      if (answer.kind !== 'not_owner') return answer;
      this.#holders.notHeldBy(block.bucket, holder);
    }
    return { kind: 'busy', retryAfterMs };
  }

  get mayRead(): boolean {
    return this.#membership.isCurrent && !this.#ownership.isConfirming;
  }

  get isCurrent(): boolean {
    return this.#membership.isCurrent;
  }

  async assignedPlace(bucket: BucketIndex, mayBeTaken: boolean): Promise<AssignedPlace> {
    await this.#membership.refresh();
    // Taken for dead, it may have been replaced: what it learnt before says nothing any more.
    if (!this.#membership.isCurrent) return 'unknown';
    if (!this.#ownership.isAssigned(bucket)) return 'elsewhere';
    return mayBeTaken ? 'contested' : 'here';
  }

  async start(): Promise<void> {
    const { owners, clock } = this.#options;
    await owners.start([]);
    await this.#membership.start();
    const untilMs = clock.monotonicMs() + servedWithinMs;
    while (this.#unserved > 0 && clock.monotonicMs() < untilMs) {
      await new Promise<void>((resolve) => void clock.after(lookMs, resolve));
    }
  }

  /** Buckets that are assigned here and not served yet. */
  get #unserved(): number {
    const { owners } = this.#options;
    const assigned = this.#membership.assignment?.owners ?? [];
    let count = 0;
    assigned.forEach((owner, bucket) => {
      if (owner === this.peers.self && !owners.owns(bucket as BucketIndex)) count++;
    });
    return count;
  }

  get waitingFor(): string | undefined {
    return this.#orphans > 0 ? `a server with role be: ${this.#orphans} buckets have no owner` : undefined;
  }

  get trouble(): string | undefined {
    // A late heartbeat is none: Blocks go on to those who are known, and queries are refused by themselves.
    const unserved = this.#unserved;
    return this.waitingFor ?? (unserved > 0 ? `${unserved} of its buckets to be taken over` : undefined);
  }

  async handOver(deadlineMs: number): Promise<void> {
    await this.#membership.refresh();
    await this.#ownership.handOver(deadlineMs);
  }

  async leave(): Promise<void> {
    this.#ownership.stop();
    await this.#membership.leave();
  }

  close(): void {
    this.peers.close();
  }
}

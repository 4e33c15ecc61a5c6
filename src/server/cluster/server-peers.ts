import type { Answer, Block } from '../../core/block.js';
import { TabaError } from '../../core/errors.js';
import type { BucketIndex, MemberId } from '../../core/ids.js';
import type { Clock } from '../../runtime/clock.js';
import type { Member } from '../../storage/coordination.js';
import { connectFrames } from '../../transport/outbound/frame-client.js';
import type { Hello } from '../../wire/frame.js';
import type { Holders } from './holders.js';
import type { Membership } from './membership.js';
import { PeerLink, type PeerLinkOptions } from './peer-link.js';
import type { Peers } from './peers.js';

export interface ServerPeersOptions {
  readonly self: MemberId;
  readonly membership: Membership;
  readonly holders: Holders;
  readonly hello: () => Hello;
  readonly maxFrameBytes: number;
  /** A link on which nothing moves for so long is cut. */
  readonly silenceMs: number;
  readonly clock: Clock;
  readonly connect?: PeerLinkOptions['connect'];
}

const connectTimeoutMs = 1000;

/** The other servers of a cluster, by links that are made when they are needed. */
export class ServerPeers implements Peers {
  readonly self: MemberId;
  readonly #options: ServerPeersOptions;
  readonly #connect: PeerLinkOptions['connect'];
  readonly #links = new Map<MemberId, PeerLink>();
  #closed = false;

  constructor(options: ServerPeersOptions) {
    const { maxFrameBytes, silenceMs, clock } = options;
    this.self = options.self;
    this.#options = options;
    this.#connect =
      options.connect ??
      ((url, events) =>
        connectFrames({ url, maxFrameBytes, connectTimeoutMs, silenceMs, unref: true, clock }, events));
  }

  members(): readonly Member[] {
    return this.#options.membership.members;
  }

  holderOf(bucket: BucketIndex): MemberId | undefined {
    return this.#options.holders.holderOf(bucket);
  }

  notHeldBy(bucket: BucketIndex, member: MemberId): void {
    this.#options.holders.notHeldBy(bucket, member);
  }

  push(member: MemberId, block: Block): Promise<Answer> {
    const link = this.#linkTo(member);
    // It was alive a moment ago: somebody will be assigned to the bucket soon.
    return link?.push(block) ?? Promise.resolve({ kind: 'busy', retryAfterMs: 100 });
  }

  ask(member: MemberId, name: string, body: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    const link = this.#linkTo(member);
    return (
      link?.ask(name, body, timeoutMs) ??
      Promise.reject(new TabaError('unavailable', `server ${member} is gone`))
    );
  }

  #linkTo(id: MemberId): PeerLink | undefined {
    const known = this.#links.get(id);
    if (known !== undefined) return known;
    const member = this.#options.membership.member(id);
    if (member === undefined || this.#closed) return undefined;
    const { hello, clock } = this.#options;
    const link = new PeerLink({ id, address: member.address, connect: this.#connect, hello, clock });
    this.#links.set(id, link);
    return link;
  }

  /** Cuts the links to those who are gone: what waits on them is told so. */
  forgetDead(): void {
    for (const [id, link] of this.#links) {
      if (this.#options.membership.member(id) !== undefined) continue;
      this.#links.delete(id);
      link.close('the server is gone');
    }
  }

  close(): void {
    this.#closed = true;
    for (const link of this.#links.values()) link.close('this server is shutting down');
    this.#links.clear();
  }
}

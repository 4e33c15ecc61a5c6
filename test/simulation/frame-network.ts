import type { FrameLink, FrameLinkEvents } from '../../src/transport/frame-link.js';
import type { Frame } from '../../src/wire/frame.js';
import type { SimNode, World } from './world.js';

/** Who takes connections at an address, as it lives now; undefined while nobody does. */
export type Listener = (
  address: string,
) => { readonly node: SimNode; readonly events: FrameLinkEvents } | undefined;

export interface FrameNetworkOptions {
  readonly world: World;
  readonly listener: Listener;
  /** Per frame: its connection breaks. */
  readonly cut: number;
}

/** Between servers: connections that keep the order of their frames, until they break. */
export class FrameNetwork {
  readonly #options: FrameNetworkOptions;
  readonly #open = new Set<Connection>();

  constructor(options: FrameNetworkOptions) {
    this.#options = options;
  }

  connect(from: SimNode, url: string, events: FrameLinkEvents): { close(reason: string): void } {
    const { world, listener, cut } = this.#options;
    const address = url.slice('ws://'.length, -'/v2'.length);
    const found = listener(address);
    if (found === undefined || (world.faults && world.chance(cut))) {
      world.after(world.delayMs(10), () => events.closed(nobody, 'refused'), from);
      return { close: () => {} };
    }
    const connection = new Connection(world, cut, () => this.#open.delete(connection));
    this.#open.add(connection);
    connection.begin({ node: from, events }, found);
    return { close: (reason) => connection.close(reason) };
  }

  /** A process died: its connections are closed. */
  died(node: SimNode): void {
    for (const connection of [...this.#open]) if (connection.isOf(node)) connection.close('the process died');
  }

  /** A process stands still for a while: the others cut what is silent for so long. */
  frozen(node: SimNode, forMs: number, silenceMs: number): void {
    if (forMs <= silenceMs) return;
    for (const connection of this.#open) {
      if (connection.isOf(node)) this.#options.world.after(silenceMs, () => connection.close('silent'));
    }
  }
}

interface Side {
  readonly node: SimNode;
  readonly events: FrameLinkEvents;
}

/** One end of a connection. */
class End implements FrameLink {
  readonly peer: string;
  readonly bufferedBytes = 0;
  readonly side: Side;
  readonly life: number;
  readonly #connection: Connection;
  /** When the last frame gets here. */
  hereMs = 0;

  constructor(connection: Connection, side: Side, peer: string) {
    this.#connection = connection;
    this.side = side;
    this.life = side.node.life;
    this.peer = peer;
  }

  trySend(frame: Frame): boolean {
    return this.#connection.send(this, frame);
  }

  close(reason: string): void {
    this.#connection.close(reason);
  }
}

class Connection {
  readonly #world: World;
  readonly #cut: number;
  readonly #ended: () => void;
  #client!: End;
  #server!: End;
  #isOpen = true;

  constructor(world: World, cut: number, ended: () => void) {
    this.#world = world;
    this.#cut = cut;
    this.#ended = ended;
  }

  begin(client: Side, server: Side): void {
    this.#client = new End(this, client, server.node.name);
    this.#server = new End(this, server, client.node.name);
    this.#at(this.#client, this.#world.delayMs(5), () => client.events.open?.(this.#client));
  }

  isOf(node: SimNode): boolean {
    return this.#client.side.node === node || this.#server.side.node === node;
  }

  #at(end: End, delayMs: number, action: () => void): void {
    if (end.side.node.life === end.life) this.#world.after(delayMs, action, end.side.node);
  }

  send(from: End, frame: Frame): boolean {
    const world = this.#world;
    if (!this.#isOpen) return false;
    if (world.faults && world.chance(this.#cut)) {
      world.after(world.delayMs(20), () => this.close('cut'));
      if (world.chance(0.5)) return true;
    }
    const to = from === this.#client ? this.#server : this.#client;
    to.hereMs = Math.max(to.hereMs, world.nowMs + world.delayMs(3));
    // What is on its way when the connection breaks does not get there.
    this.#at(to, to.hereMs - world.nowMs, () => {
      if (this.#isOpen) to.side.events.frame(to, frame);
    });
    return true;
  }

  close(reason: string): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#ended();
    for (const end of [this.#client, this.#server]) {
      this.#at(end, this.#world.delayMs(5), () => end.side.events.closed(end, reason));
    }
  }
}

const nobody: FrameLink = { peer: 'nobody', bufferedBytes: 0, trySend: () => false, close: () => {} };

import { createSocket, type Socket } from 'node:dgram';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Where a datagram, or a piece of a stream, came from. */
export interface Peer {
  readonly address: string;
  readonly port: number;
}

export interface DatagramOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** What the kernel is asked to hold for this process while it is busy; it may grant less. */
  readonly receiveBufferBytes: number;
  /** `bytes` are its own until it returns. */
  take(bytes: Uint8Array, from: Peer): void;
  onError(error: Error): void;
}

/** A socket on which datagrams come in. */
export interface Datagrams {
  readonly port: number;
  /** As the kernel granted it, with its own overhead. */
  readonly receiveBufferBytes: number;
  readonly received: number;
  /** Datagrams that the kernel threw away since the socket was bound, for want of room; undefined where it does not say. */
  dropped(): number | undefined;
  close(): Promise<void>;
}

/** @throws Error with the system's `code`, such as EADDRINUSE */
export async function receiveDatagrams(options: DatagramOptions): Promise<Datagrams> {
  const { host, port, receiveBufferBytes, take, onError } = options;
  const type = host.includes(':') ? 'udp6' : 'udp4';
  const socket = createSocket({ type, recvBufferSize: receiveBufferBytes });
  const before = ownSockets();
  let received = 0;
  socket.on('message', (bytes, from) => {
    received++;
    take(bytes, from);
  });
  await bound(socket, host, port);
  socket.on('error', onError);
  const inode = [...ownSockets()].find((one) => !before.has(one) && dropsOf(one) !== undefined);
  return {
    port: socket.address().port,
    receiveBufferBytes: socket.getRecvBufferSize(),
    get received() {
      return received;
    },
    dropped: () => (inode === undefined ? undefined : dropsOf(inode)),
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}

function bound(socket: Socket, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind({ address: host, port }, () => {
      socket.off('error', reject);
      resolve();
    });
  });
}

/** Inodes of the sockets of this process, as Linux numbers them. */
function ownSockets(): Set<string> {
  const found = new Set<string>();
  try {
    for (const fd of readdirSync('/proc/self/fd')) {
      const inode = socketOf(fd);
      if (inode !== undefined) found.add(inode);
    }
  } catch {
    // Another system: nothing is known of it.
  }
  return found;
}

function socketOf(fd: string): string | undefined {
  try {
    return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${fd}`))?.[1];
  } catch {
    return undefined;
  }
}

/** The columns of /proc/net/udp: the tenth is the inode, the last what was dropped. */
const inodeColumn = 9;

function dropsOf(inode: string): number | undefined {
  for (const table of ['/proc/self/net/udp', '/proc/self/net/udp6']) {
    let text: string;
    try {
      text = readFileSync(table, 'latin1');
    } catch {
      continue;
    }
    for (const line of text.split('\n').slice(1)) {
      const columns = line.trim().split(/\s+/);
      if (columns[inodeColumn] === inode) return Number(columns.at(-1));
    }
  }
  return undefined;
}

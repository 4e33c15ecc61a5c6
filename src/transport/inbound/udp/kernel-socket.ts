import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** What the kernel says of a UDP socket of this process. */
export interface KernelSocket {
  readonly descriptor: number;
  /** Datagrams that it threw away since the socket was bound, for want of room; undefined once the socket is closed. */
  dropped(): number | undefined;
}

/** Columns of /proc/net/udp, where the last one is what was dropped. */
const localAddressColumn = 1;
const inodeColumn = 9;

/** @returns undefined where the system does not say, or another socket of this process has the same port */
export function kernelSocketOf(type: 'udp4' | 'udp6', port: number): KernelSocket | undefined {
  const table = type === 'udp4' ? '/proc/self/net/udp' : '/proc/self/net/udp6';
  const localPort = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const inodes = new Set(
    rowsOf(table)
      .filter((row) => row[localAddressColumn]?.endsWith(localPort))
      .map((row) => row[inodeColumn]!),
  );
  const own = ownSockets().filter(({ inode }) => inodes.has(inode));
  const [socket] = own;
  if (socket === undefined || own.length > 1) return undefined;
  const { descriptor, inode } = socket;
  return {
    descriptor,
    dropped: () => {
      const row = rowsOf(table).find((row) => row[inodeColumn] === inode);
      return row && Number(row.at(-1));
    },
  };
}

function rowsOf(table: string): string[][] {
  try {
    const [, ...lines] = readFileSync(table, 'latin1').trimEnd().split('\n');
    return lines.map((line) => line.trim().split(/\s+/));
  } catch {
    // Another system, or one without IPv6.
    return [];
  }
}

function ownSockets(): { descriptor: number; inode: string }[] {
  try {
    return readdirSync('/proc/self/fd').flatMap((descriptor) => {
      const inode = inodeOf(descriptor);
      return inode === undefined ? [] : [{ descriptor: Number(descriptor), inode }];
    });
  } catch {
    return [];
  }
}

function inodeOf(descriptor: string): string | undefined {
  try {
    return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${descriptor}`))?.[1];
  } catch {
    // Closed meanwhile.
    return undefined;
  }
}

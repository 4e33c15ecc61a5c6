import {
  close,
  closeSync,
  fdatasync,
  fstatSync,
  fsyncSync,
  ftruncate,
  open,
  openSync,
  readSync,
  write,
} from 'node:fs';
import { mkdir, readdir, unlink } from 'node:fs/promises';
import { promisify } from 'node:util';

/**
 * The file operations that the engine needs, and nothing beyond them: what a test replaces to fill the disk, to break
 * it, or to stop the world between any two steps. Errors are Node's own (`code` says ENOSPC, EIO, …).
 */
export interface LogFiles {
  makeFolder(folder: string): Promise<void>;
  /** Names of the files in the folder. */
  list(folder: string): Promise<string[]>;
  /** Makes a file that must not exist yet, for reading and writing. */
  create(path: string): Promise<LogFile>;
  /** Opens an existing file for reading and writing. */
  open(path: string): Promise<LogFile>;
  remove(path: string): Promise<void>;
  /** Makes the creation and the removal of files durable. */
  syncFolder(folder: string): Promise<void>;
}

export interface LogFile {
  /** Size in bytes. */
  size(): number;
  /**
   * Fills `target` from `offset` on. @returns the bytes read, fewer at the end of the file.
   * Synchronous: what is read was mostly written lately and costs 2 µs from the page cache, 25 µs through the thread
   * pool, where it would also queue up with the commits.
   */
  read(target: Uint8Array, offset: number): number;
  /** @returns the bytes written, which may be fewer than given */
  write(bytes: Uint8Array, offset: number): Promise<number>;
  /** Waits until what was written, and the size, are on the disk. */
  sync(): Promise<void>;
  truncate(sizeBytes: number): Promise<void>;
  close(): Promise<void>;
}

const openAsync = promisify(open);
const closeAsync = promisify(close);
const datasyncAsync = promisify(fdatasync);
const truncateAsync = promisify(ftruncate);

/** The file system of the machine. */
export const nodeFiles: LogFiles = {
  async makeFolder(folder) {
    await mkdir(folder, { recursive: true });
  },
  list: (folder) => readdir(folder),
  create: async (path) => new NodeFile(await openAsync(path, 'wx+', 0o600)),
  open: async (path) => new NodeFile(await openAsync(path, 'r+')),
  remove: (path) => unlink(path),
  async syncFolder(folder) {
    const descriptor = openSync(folder, 'r');
    try {
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  },
};

class NodeFile implements LogFile {
  readonly #descriptor: number;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  size(): number {
    return fstatSync(this.#descriptor).size;
  }

  read(target: Uint8Array, offset: number): number {
    let done = 0;
    while (done < target.length) {
      const count = readSync(this.#descriptor, target, done, target.length - done, offset + done);
      if (count === 0) break;
      done += count;
    }
    return done;
  }

  write(bytes: Uint8Array, offset: number): Promise<number> {
    return new Promise((resolve, reject) => {
      write(this.#descriptor, bytes, 0, bytes.length, offset, (error, written) => {
        if (error) reject(error);
        else resolve(written);
      });
    });
  }

  sync(): Promise<void> {
    return datasyncAsync(this.#descriptor);
  }

  truncate(sizeBytes: number): Promise<void> {
    return truncateAsync(this.#descriptor, sizeBytes);
  }

  close(): Promise<void> {
    return closeAsync(this.#descriptor);
  }
}

/** Goes on after short writes. A write of nothing means a full disk. */
export async function writeFully(file: LogFile, bytes: Uint8Array, offset: number): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const written = await file.write(bytes.subarray(done), offset + done);
    if (written === 0) throw Object.assign(new Error('nothing was written'), { code: 'ENOSPC' });
    done += written;
  }
}

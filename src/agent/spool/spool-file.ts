import { closeSync, fdatasync, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { TabaError } from '../../core/errors.js';

/** The system calls that may fail on a full or broken disk; a test puts its own here. */
export interface SpoolDisk {
  write(fd: number, bytes: Uint8Array, offset: number, length: number, position: number): number;
  truncate(fd: number, length: number): void;
  sync(fd: number, done: (error: Error | null) => void): void;
}

export const systemDisk: SpoolDisk = { write: writeSync, truncate: ftruncateSync, sync: fdatasync };

/**
 * One append-only file in which a write happens in full or not at all, as far as its reader can tell: what a failed
 * write left behind is cut off, at once or, when even that fails, before anything else is written.
 */
export class SpoolFile {
  readonly path: string;
  readonly #fd: number;
  readonly #disk: SpoolDisk;
  /** Bytes of whole records. */
  #length: number;
  #torn = false;
  #syncedLength: number;
  #syncing = false;
  #waiters: { readonly length: number; settle(error: Error | null): void }[] = [];
  #closed = false;

  /** @param length what lies behind it is cut off */
  constructor(path: string, length: number, disk: SpoolDisk) {
    this.path = path;
    this.#disk = disk;
    this.#fd = openSync(path, length === 0 ? 'w+' : 'r+');
    this.#length = length;
    this.#syncedLength = length;
    if (fstatSync(this.#fd).size > length) ftruncateSync(this.#fd, length);
  }

  get length(): number {
    return this.#length;
  }

  /** @throws TabaError `store_failed`; nothing was written then */
  append(bytes: Uint8Array): void {
    try {
      if (this.#torn) this.#cut();
      let written = 0;
      while (written < bytes.length) {
        const count = this.#disk.write(
          this.#fd,
          bytes,
          written,
          bytes.length - written,
          this.#length + written,
        );
        if (count === 0) throw new Error('the disk took no bytes');
        written += count;
      }
    } catch (error) {
      this.#torn = true;
      try {
        this.#cut();
      } catch {
        // Tried again before the next write.
      }
      throw new TabaError('store_failed', `${this.path}: ${messageOf(error)}`);
    }
    this.#length += bytes.length;
  }

  #cut(): void {
    this.#disk.truncate(this.#fd, this.#length);
    this.#torn = false;
  }

  /**
   * Resolves when everything appended so far is on the disk. One fsync serves all that wait for it.
   * @throws TabaError `store_failed`
   */
  synced(): Promise<void> {
    if (this.#syncedLength >= this.#length) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#waiters.push({
        length: this.#length,
        settle: (error) => {
          if (error === null) resolve();
          else reject(new TabaError('store_failed', `${this.path}: ${error.message}`));
        },
      });
      this.#sync();
    });
  }

  #sync(): void {
    if (this.#syncing || this.#waiters.length === 0) return;
    this.#syncing = true;
    const length = this.#length;
    this.#disk.sync(this.#fd, (error) => {
      this.#syncing = false;
      if (error === null) this.#syncedLength = Math.max(this.#syncedLength, length);
      const served = this.#waiters.filter((waiter) => waiter.length <= length);
      this.#waiters = this.#waiters.filter((waiter) => waiter.length > length);
      for (const waiter of served) waiter.settle(error);
      if (this.#closed && this.#waiters.length === 0) closeSync(this.#fd);
      else this.#sync();
    });
  }

  /** Closes once the fsync under way, if any, is over. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (!this.#syncing) closeSync(this.#fd);
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

import { basename } from 'node:path';
import type { LogFile, LogFiles } from '../../../src/storage/embedded/log-files.js';

interface Content {
  bytes: Buffer;
  /** What the disk is sure to have. */
  synced: Buffer;
}

/** A disk in memory, which fills up, breaks, and stops the world on demand. Names are those within the one folder. */
export class MemoryFiles implements LogFiles {
  readonly disk = new Map<string, Content>();
  /** How many more bytes may be written. */
  freeBytes = Number.POSITIVE_INFINITY;
  failSync = false;
  failTruncate = false;
  failRemove = false;
  /** After a file was removed, the folder is synced no sooner than at the next attempt. */
  failSyncOfRemoval = false;
  #isRemoved = false;
  /** How many operations that change something were carried out. */
  steps = 0;
  /** The step at which the machine stops: it, and all after it, do nothing and fail. */
  stopAtStep = Number.POSITIVE_INFINITY;

  /** A copy of the disk, with all faults mended. `change` may rewrite each file. */
  image(change: (content: Content, name: string) => Buffer = ({ bytes }) => bytes): MemoryFiles {
    const files = new MemoryFiles();
    for (const [name, content] of this.disk) {
      const bytes = Buffer.from(change(content, name));
      files.disk.set(name, { bytes, synced: Buffer.from(bytes) });
    }
    return files;
  }

  segments(): string[] {
    return [...this.disk.keys()].filter((name) => name.startsWith('segment-')).sort();
  }

  async makeFolder(): Promise<void> {}

  async list(): Promise<string[]> {
    return [...this.disk.keys()];
  }

  async create(path: string): Promise<LogFile> {
    const name = basename(path);
    if (this.disk.has(name)) throw fault('EEXIST');
    this.step();
    this.disk.set(name, { bytes: Buffer.alloc(0), synced: Buffer.alloc(0) });
    return this.open(path);
  }

  async open(path: string): Promise<LogFile> {
    const content = this.disk.get(basename(path));
    if (content === undefined) throw fault('ENOENT');
    return new MemoryFile(this, content);
  }

  async remove(path: string): Promise<void> {
    if (this.failRemove) throw fault('EIO');
    this.step();
    if (!this.disk.delete(basename(path))) throw fault('ENOENT');
    this.#isRemoved = true;
  }

  async syncFolder(): Promise<void> {
    const isRemoval = this.#isRemoved;
    this.#isRemoved = false;
    if (isRemoval && this.failSyncOfRemoval) throw fault('EMFILE');
    this.step();
  }

  step(): void {
    if (this.steps >= this.stopAtStep) throw fault('ESTOPPED');
    this.steps++;
  }
}

class MemoryFile implements LogFile {
  readonly #files: MemoryFiles;
  readonly #content: Content;

  constructor(files: MemoryFiles, content: Content) {
    this.#files = files;
    this.#content = content;
  }

  size(): number {
    return this.#content.bytes.length;
  }

  read(target: Uint8Array, offset: number): number {
    const bytes = this.#content.bytes.subarray(offset, offset + target.length);
    target.set(bytes);
    return bytes.length;
  }

  async write(bytes: Uint8Array, offset: number): Promise<number> {
    const files = this.#files;
    if (files.freeBytes === 0) throw fault('ENOSPC');
    files.step();
    // A full disk takes what fits, and says no at the next write.
    const count = Math.min(bytes.length, files.freeBytes);
    const content = this.#content;
    const end = offset + count;
    if (end > content.bytes.length) {
      files.freeBytes -= Math.min(files.freeBytes, end - content.bytes.length);
      content.bytes = Buffer.concat([content.bytes, Buffer.alloc(end - content.bytes.length)]);
    }
    content.bytes.set(bytes.subarray(0, count), offset);
    return count;
  }

  async sync(): Promise<void> {
    if (this.#files.failSync) throw fault('EIO');
    this.#files.step();
    this.#content.synced = Buffer.from(this.#content.bytes);
  }

  async truncate(sizeBytes: number): Promise<void> {
    if (this.#files.failTruncate) throw fault('EIO');
    this.#files.step();
    this.#content.bytes = Buffer.from(this.#content.bytes.subarray(0, sizeBytes));
  }

  async close(): Promise<void> {}
}

function fault(code: string): Error {
  return Object.assign(new Error(`${code}: simulated`), { code });
}

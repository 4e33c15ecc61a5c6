import { crc32 } from 'node:zlib';
import { type ByteSource, headerBytes } from './format.js';
import type { LogFile } from './log-files.js';
import type { Content } from './records.js';

const windowBytes = 2 ** 20;

/** One file of the log. */
export class Segment {
  readonly number: number;
  readonly name: string;
  readonly file: LogFile;
  /** Where the durable records end. */
  end: number;

  constructor(number: number, name: string, file: LogFile, end: number = headerBytes) {
    this.number = number;
    this.name = name;
    this.file = file;
    this.end = end;
  }

  /** @returns the content at `offset`, or undefined when it does not have its checksum any more */
  readContent(offset: number, content: Content): Uint8Array | undefined {
    const bytes = new Uint8Array(content.bytes);
    if (this.file.read(bytes, offset) < bytes.length) return undefined;
    return (crc32(bytes) | 0) === content.crc ? bytes : undefined;
  }
}

/** Reads a file through a window that moves forward: one system call per megabyte. */
export class WindowedSource implements ByteSource {
  readonly size: number;
  readonly #file: LogFile;
  #window = Buffer.alloc(0);
  #start = 0;

  constructor(file: LogFile, size: number) {
    this.#file = file;
    this.size = size;
  }

  bytes(offset: number, length: number): Buffer {
    const end = Math.min(this.size, offset + length);
    if (offset < this.#start || end > this.#start + this.#window.length) {
      const wanted = Math.max(0, Math.min(this.size - offset, Math.max(length, windowBytes)));
      const window = Buffer.allocUnsafe(wanted);
      this.#window = window.subarray(0, this.#file.read(window, offset));
      this.#start = offset;
    }
    return this.#window.subarray(offset - this.#start, Math.max(offset, end) - this.#start);
  }
}

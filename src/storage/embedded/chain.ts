import { join } from 'node:path';
import type { Log } from '../../runtime/log.js';
import { encodeHeader, formatVersion, hashName, headerBytes, segmentName } from './format.js';
import { type LogFile, type LogFiles, writeFully } from './log-files.js';
import { Segment } from './segment.js';

export interface ChainOptions {
  readonly folder: string;
  readonly files: LogFiles;
  readonly bucketCount: number;
  readonly mark: number;
  readonly createdAtMs: number;
  readonly maxSegmentBytes: number;
  readonly log: Log;
}

/**
 * The segments of the log, oldest first, and the writing at its end.
 *
 * After a failed write the tail of the segment is cut off again. After a failed sync, or where the cutting fails too, nobody knows
 * what the disk has (Linux forgets the dirty pages and lets the next sync succeed), so the segment is given up where its last
 * durable commit ended, and the next commit begins a new one whose header says so.
 */
export class Chain {
  readonly #options: ChainOptions;
  readonly #segments: Segment[];
  /** Nothing may be appended to the last segment any more. */
  #sealed = false;

  constructor(options: ChainOptions, segments: Segment[]) {
    this.#options = options;
    this.#segments = segments;
  }

  get segments(): readonly Segment[] {
    return this.#segments;
  }

  /** Number of the oldest segment kept; of the first, if there is none yet. */
  get oldest(): number {
    return this.#segments[0]?.number ?? 1;
  }

  bytesOnDisk(): number {
    let bytes = 0;
    for (const segment of this.#segments) bytes += segment.end;
    return bytes;
  }

  /** Writes a commit and waits until it is durable. @returns where it begins. When it throws, nothing has changed. */
  async append(bytes: Uint8Array): Promise<{ segment: Segment; offset: number }> {
    const last = this.#segments.at(-1);
    const full = last !== undefined && last.end + bytes.length > this.#options.maxSegmentBytes;
    if (last === undefined || this.#sealed || (full && last.end > headerBytes)) {
      return this.#appendToNext(last, bytes);
    }
    const offset = last.end;
    await this.#writeOrCut(last.file, bytes, offset);
    try {
      await last.file.sync();
    } catch (error) {
      this.#sealed = true;
      await this.#tryCut(last.file, offset);
      throw error;
    }
    last.end += bytes.length;
    return { segment: last, offset };
  }

  /** Removes the oldest segment. Strictly in order: a deletion of pages must not go before the pages that it deletes. */
  async removeOldest(): Promise<void> {
    const { folder, files } = this.#options;
    const segment = this.#segments[0]!;
    try {
      await files.remove(join(folder, segment.name));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    await files.syncFolder(folder);
    // Not before the removal is durable: until then it is tried again, and must not take the next one.
    this.#segments.shift();
    await segment.file.close().catch(() => undefined);
  }

  async close(): Promise<void> {
    for (const segment of this.#segments) await segment.file.close();
  }

  async #appendToNext(
    last: Segment | undefined,
    bytes: Uint8Array,
  ): Promise<{ segment: Segment; offset: number }> {
    const { folder, files, bucketCount, mark, createdAtMs } = this.#options;
    const number = (last?.number ?? 0) + 1;
    const name = segmentName(number);
    const path = join(folder, name);
    const header = encodeHeader({
      version: formatVersion,
      segment: number,
      bucketCount,
      hash: hashName,
      mark,
      previousEnd: last?.end ?? 0,
      createdAtMs,
    });
    const file = await this.#createOrReuse(path);
    try {
      await writeFully(file, header, 0);
      await writeFully(file, bytes, headerBytes);
      await file.sync();
      await files.syncFolder(folder);
    } catch (error) {
      await this.#tryCut(file, 0);
      await file.close().catch(() => undefined);
      // What is left of it says where the segment before ends: nothing more may be appended there.
      await files.remove(path).catch(() => {
        this.#sealed = true;
      });
      throw error;
    }
    const segment = new Segment(number, name, file, headerBytes + bytes.length);
    this.#segments.push(segment);
    this.#sealed = false;
    return { segment, offset: headerBytes };
  }

  /** A segment that was begun in vain, and could not even be removed, is begun again. */
  async #createOrReuse(path: string): Promise<LogFile> {
    const { files } = this.#options;
    try {
      return await files.create(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      const file = await files.open(path);
      await file.truncate(0);
      return file;
    }
  }

  async #writeOrCut(file: LogFile, bytes: Uint8Array, offset: number): Promise<void> {
    try {
      await writeFully(file, bytes, offset);
    } catch (error) {
      if (!(await this.#tryCut(file, offset))) this.#sealed = true;
      throw error;
    }
  }

  async #tryCut(file: LogFile, offset: number): Promise<boolean> {
    try {
      await file.truncate(offset);
      return true;
    } catch (error) {
      this.#options.log.warn('store_cut_failed', { offsetBytes: offset, error: String(error) });
      return false;
    }
  }
}

/**
 * Preloaded into an agent (`node --import`): kills the process, as a crash would, at one step of its work on the spool.
 * TABA_CRASH says which, as a `CrashPoint` in JSON.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

/** Kinds of records of the spool at whose writing the agent can be killed, as the format numbers them. */
export const recordKinds = { accepted: 2, sealed: 3, settled: 4 } as const;

export interface CrashPoint {
  /** `write` of a record; or of a compaction: the `open` of the new file, a write into it, its `fsync`, its `rename`. */
  readonly call: 'write' | 'open' | 'write new' | 'fsync' | 'rename';
  readonly kind?: keyof typeof recordKinds;
  /** `half`: of the bytes are written. */
  readonly when: 'before' | 'half' | 'after';
}

/** Marker, length and checksum of a record stand before its kind. */
const headerBytes = 12;
const newFile = /spool\.log\.new$/;

function crash(): never {
  process.kill(process.pid, 'SIGKILL');
  // The signal is on its way: nothing more may happen.
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

/** Does `act` whole, in part or not at all, and crashes. */
function crashAt<T>({ when }: CrashPoint, act: () => T, half: () => unknown = act): T {
  if (when === 'half') half();
  if (when === 'after') act();
  return crash();
}

/** Whether one of the records that are written together is of that kind. */
function holds(records: Uint8Array, kind: keyof typeof recordKinds): boolean {
  const view = new DataView(records.buffer, records.byteOffset, records.byteLength);
  for (let at = 0; at + headerBytes < records.length; at += headerBytes + view.getUint32(at + 4, true)) {
    if (records[at + headerBytes] === recordKinds[kind]) return true;
  }
  return false;
}

function arm(point: CrashPoint): void {
  const { openSync, writeSync, fsyncSync, renameSync } = fs;
  const written = new Set<number>();
  fs.openSync = (path, flags, mode) => {
    const isNew = newFile.test(String(path)) && flags !== 'r';
    const open = () => openSync(path, flags, mode);
    const fd = isNew && point.call === 'open' ? crashAt(point, open) : open();
    if (isNew) written.add(fd);
    return fd;
  };
  fs.writeSync = ((fd: number, bytes: Uint8Array, offset: number, length: number, position: number) => {
    const write = (count = length) => writeSync(fd, bytes, offset, count, position);
    const into = written.has(fd) ? 'write new' : 'write';
    const fits = point.kind === undefined || holds(bytes.subarray(offset, offset + length), point.kind);
    if (into === point.call && fits) return crashAt(point, write, () => write(length >> 1));
    return write();
  }) as typeof fs.writeSync;
  fs.fsyncSync = (fd) => {
    if (point.call === 'fsync') crashAt(point, () => fsyncSync(fd));
    fsyncSync(fd);
  };
  fs.renameSync = (from, to) => {
    if (point.call === 'rename' && newFile.test(String(from))) crashAt(point, () => renameSync(from, to));
    renameSync(from, to);
  };
  syncBuiltinESMExports();
}

const point = process.env.TABA_CRASH;
// Not for the agent, which refuses variables that it does not know.
delete process.env.TABA_CRASH;
if (point !== undefined) arm(JSON.parse(point) as CrashPoint);

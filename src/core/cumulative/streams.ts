import type { ByteReader, ByteWriter } from '../bytes.js';
import { TabaError } from '../errors.js';
import { decodeHistogram, encodeHistogram, histogramSince } from './histogram.js';
import type { CumulativePoint, CumulativeValue, Reading } from './reading.js';

/** What settling needs to know; the same at every replay of a journal entry. */
export interface SettleView {
  /** The present, seconds UTC. */
  readonly nowSec: number;
  /** Since when counts are kept here: what a process counted before it was listened to is none of ours. */
  readonly sinceSec: number;
}

/** A stream that is silent for so long is forgotten. */
const forgetAfterSec = 86_400;
const sweepEverySec = 3_600;
/** So many streams of one State are remembered. */
const maxStreams = 65_536;
/** How many of them are kept when there are more. */
const keptStreams = 60_000;

/**
 * A clock may be ahead, but not by as long as streams are remembered: such a start is not believed, or the horizon that it leaves
 * behind would keep all that begin for years from being counted in full.
 */
function latestStartSec({ timeSec }: Reading): number {
  return timeSec + forgetAfterSec;
}

interface Stream {
  readonly startSec: number;
  readonly monotonic: boolean;
  /** What has been counted: a State has it. */
  settled: Reading | undefined;
  /** What has come since, of which only the first and the last matter: a Part has it. */
  first: Reading | undefined;
  last: Reading | undefined;
}

/**
 * Figures that processes add up themselves, on their way to becoming events: the last reading of every stream, and those
 * that are not counted yet. A Part carries readings as they came; the owner's State knows the reading before, so that
 * neither a reading that comes twice, nor over another agent, nor one that was lost changes what is counted. Merging is
 * associative, commutative, and idempotent.
 */
export class CumulativeStreams {
  readonly #streams = new Map<number, Stream>();
  /** Streams with readings that are not counted yet. */
  readonly #pending = new Set<number>();
  /** The latest start of a stream that was forgotten: one that began by then may have been counted before. */
  #horizonSec = 0;
  #sweptAtSec = 0;
  #newestSec = Number.NEGATIVE_INFINITY;

  get size(): number {
    return this.#streams.size;
  }

  /** When a reading came last, seconds UTC; -Infinity before the first. */
  get newestSec(): number {
    return this.#newestSec;
  }

  put({ stream: id, startSec, monotonic, timeSec, value }: CumulativePoint): void {
    this.#add(id, startSec, monotonic, { timeSec, value });
  }

  #add(id: number, startSec: number, monotonic: boolean, reading: Reading): void {
    const stream = this.#open(id, startSec, monotonic);
    if (stream.first === undefined || reading.timeSec < stream.first.timeSec) stream.first = reading;
    if (stream.last === undefined || reading.timeSec > stream.last.timeSec) stream.last = reading;
    this.#pending.add(id);
    this.#saw(reading);
  }

  #open(id: number, startSec: number, monotonic: boolean): Stream {
    let stream = this.#streams.get(id);
    if (stream === undefined) {
      stream = { startSec, monotonic, settled: undefined, first: undefined, last: undefined };
      this.#streams.set(id, stream);
    }
    return stream;
  }

  #saw({ timeSec }: Reading): void {
    if (timeSec > this.#newestSec) this.#newestSec = timeSec;
  }

  merge(from: CumulativeStreams): void {
    for (const [id, { startSec, monotonic, settled, first, last }] of from.#streams) {
      if (first !== undefined) this.#add(id, startSec, monotonic, first);
      if (last !== undefined) this.#add(id, startSec, monotonic, last);
      if (settled === undefined) continue;
      const stream = this.#open(id, startSec, monotonic);
      if (stream.settled === undefined || settled.timeSec > stream.settled.timeSec) stream.settled = settled;
      this.#saw(settled);
    }
    this.#horizonSec = Math.max(this.#horizonSec, from.#horizonSec);
    this.#sweptAtSec = Math.max(this.#sweptAtSec, from.#sweptAtSec);
  }

  /** Turns what has come into what was added since the reading before. */
  settle(view: SettleView, add: (value: CumulativeValue, timeSec: number) => void): void {
    for (const id of this.#pending) {
      const stream = this.#streams.get(id)!;
      const { settled, first, last } = stream;
      stream.first = undefined;
      stream.last = undefined;
      if (first === undefined || last === undefined) continue;
      if (settled !== undefined && last.timeSec <= settled.timeSec) continue;
      stream.settled = last;
      const isNew = settled === undefined && this.#countsFromZero(stream, last, view);
      const before = isNew ? undefined : (settled ?? first).value;
      add(addedSince(last.value, before, stream.monotonic), last.timeSec);
    }
    this.#pending.clear();
    this.#forgetSilent(view.nowSec);
  }

  /** Whether all that a stream has counted until its first reading came here belongs here. */
  #countsFromZero({ startSec }: Stream, last: Reading, { sinceSec }: SettleView): boolean {
    const isSince = startSec > 0 && startSec >= sinceSec && startSec > this.#horizonSec;
    return isSince && startSec <= latestStartSec(last);
  }

  #forgetSilent(nowSec: number): void {
    if (nowSec - this.#sweptAtSec >= sweepEverySec) {
      this.#sweptAtSec = nowSec;
      for (const [id, { settled }] of this.#streams) {
        if (settled !== undefined && nowSec - settled.timeSec >= forgetAfterSec) this.#forget(id);
      }
    }
    if (this.#streams.size <= maxStreams) return;
    const oldestFirst = [...this.#streams].sort(
      ([a, { settled: one }], [b, { settled: other }]) =>
        (one?.timeSec ?? 0) - (other?.timeSec ?? 0) || a - b,
    );
    for (const [id] of oldestFirst.slice(0, this.#streams.size - keptStreams)) this.#forget(id);
  }

  #forget(id: number): void {
    const { startSec, settled } = this.#streams.get(id)!;
    this.#streams.delete(id);
    if (settled === undefined) return;
    this.#horizonSec = Math.max(this.#horizonSec, Math.min(startSec, latestStartSec(settled)));
  }

  /**
   * Moves readings that are not counted yet and are stamped later than `limitSec` to `presentSec`.
   * @returns how many
   */
  clampFuture(limitSec: number, presentSec: number): number {
    let moved = 0;
    for (const id of this.#pending) {
      const stream = this.#streams.get(id)!;
      for (const which of ['first', 'last'] as const) {
        const reading = stream[which];
        if (reading === undefined || reading.timeSec <= limitSec) continue;
        if (which === 'last' || stream.first !== stream.last) moved++;
        stream[which] = { timeSec: presentSec, value: reading.value };
      }
    }
    if (moved > 0) this.#newestSec = Math.min(this.#newestSec, presentSec);
    return moved;
  }

  /**
   * Layout: varint number of streams, 0 if there is nothing to say; else horizon and time of the last sweep as numbers;
   * then per stream, ascending: id f64, start f64, flags u8 (1 monotonic, 2 settled, 4 first, 8 last, where that is another
   * one), the readings: time f64, kind u8 (0 number), value.
   */
  encode(out: ByteWriter): void {
    const entries = [...this.#streams].sort(([a], [b]) => a - b);
    // One more than there are: the horizon outlives the last stream.
    const isEmpty = entries.length === 0 && this.#horizonSec === 0;
    out.varint(isEmpty ? 0 : entries.length + 1);
    if (isEmpty) return;
    out.f64(this.#horizonSec);
    out.f64(this.#sweptAtSec);
    for (const [id, { startSec, monotonic, settled, first, last }] of entries) {
      out.f64(id);
      out.f64(startSec);
      const isSingle = first !== undefined && last?.timeSec === first.timeSec;
      out.u8(
        (monotonic ? 1 : 0) +
          (settled === undefined ? 0 : 2) +
          (first === undefined ? 0 : 4) +
          (last === undefined || isSingle ? 0 : 8),
      );
      for (const reading of [settled, first, isSingle ? undefined : last]) {
        if (reading !== undefined) encodeReading(reading, out);
      }
    }
  }

  /** @throws TabaError `corrupt` */
  static decode(input: ByteReader): CumulativeStreams | undefined {
    let left = input.varint();
    if (left === 0) return undefined;
    const streams = new CumulativeStreams();
    streams.#horizonSec = input.f64();
    streams.#sweptAtSec = input.f64();
    while (--left > 0) {
      const id = input.f64();
      if (!Number.isSafeInteger(id) || id < 0 || streams.#streams.has(id)) {
        throw new TabaError('corrupt', `a cumulative stream of id ${id}`);
      }
      const startSec = input.f64();
      const flags = input.u8();
      const stream = streams.#open(id, startSec, (flags & 1) !== 0);
      if ((flags & 2) !== 0) {
        stream.settled = decodeReading(input);
        streams.#saw(stream.settled);
      }
      if ((flags & 4) !== 0) streams.#add(id, startSec, stream.monotonic, decodeReading(input));
      if ((flags & 8) !== 0) streams.#add(id, startSec, stream.monotonic, decodeReading(input));
    }
    return streams;
  }
}

/** The streams of a State that may have none. */
type Streams = CumulativeStreams | undefined;

/** Adds `from` to `into`, which becomes its own copy where there was none. */
export function mergedStreams(into: Streams, from: Streams): Streams {
  if (from === undefined) return into;
  const merged = into ?? new CumulativeStreams();
  merged.merge(from);
  return merged;
}

/** `CumulativeStreams.encode`, where there are any. */
export function encodeStreams(streams: Streams, out: ByteWriter): void {
  if (streams === undefined) out.varint(0);
  else streams.encode(out);
}

/** Reads the beginning of what `encodeStreams` wrote: all of it, where there are none. */
export function hasNoStreams(input: ByteReader): boolean {
  return input.varint() === 0;
}

export function newestSec(streams: Streams): number {
  return streams?.newestSec ?? Number.NEGATIVE_INFINITY;
}

/** @param before undefined: it began at zero */
function addedSince(
  value: CumulativeValue,
  before: CumulativeValue | undefined,
  monotonic: boolean,
): CumulativeValue {
  if (before === undefined) return value;
  if (typeof value === 'number') {
    // Another kind under one id cannot be, but for a collision of ids: what is new counts.
    if (typeof before !== 'number') return value;
    return monotonic && value < before ? value : value - before;
  }
  return (typeof before === 'number' ? undefined : histogramSince(value, before)) ?? value;
}

function encodeReading({ timeSec, value }: Reading, out: ByteWriter): void {
  out.f64(timeSec);
  if (typeof value !== 'number') {
    encodeHistogram(value, out);
    return;
  }
  out.u8(0);
  out.number(value);
}

function decodeReading(input: ByteReader): Reading {
  const timeSec = input.f64();
  const kind = input.u8();
  return { timeSec, value: kind === 0 ? input.number() : decodeHistogram(input, kind) };
}

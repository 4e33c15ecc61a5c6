import { type ErrorCode, TabaError } from '../../core/errors.js';
import type { Gathered } from '../../core/gather/gathered.js';
import { NumberColumns } from '../../core/gather/number-columns.js';
import type { HandlerRegistry } from '../../core/handlers/registry.js';
import type { ClientId, TabName } from '../../core/ids.js';
import type { Limits } from '../../core/limits.js';
import { PartMap } from '../../core/parts.js';
import type { Clock } from '../../runtime/clock.js';
import type { MetricKind, MetricName } from '../../wire/statsd/metric.js';
import { StatsdScanner } from '../../wire/statsd/scanner.js';
import type { StatsdNotice, StatsdSink } from '../../wire/statsd/sink.js';
import type { DenyLists } from '../deny-lists.js';
import type { Mapping } from '../mapping/mapping.js';
import { type GaugeCell, GaugeMemory } from './gauge-memory.js';
import { payloadOfMember, type Series, seriesOf } from './series.js';

/** Where a packet, or a piece of a stream, came from. */
export interface Peer {
  readonly address: string;
  readonly port: number;
}

/** What the node counts. */
export interface StatsdBooks {
  receive(events: number): void;
  reject(code: ErrorCode, events: number): void;
  drop(reason: StatsdDropReason, events: number): void;
  /** Timestamps too far ahead, counted at the present. */
  clamp(events: number): void;
  /** Something that was not taken, for whoever looks for its sender; called a few times a second at most. */
  sample(from: Peer, code: ErrorCode, message: string): void;
}

export type StatsdDropReason =
  /** A mapping rule says so. */
  | 'mapping'
  /** There is no room for another pair of tab and client, and the sender cannot be asked to wait. */
  | 'no_room';

export interface StatsdIntakeOptions {
  readonly registry: HandlerRegistry;
  readonly limits: Pick<Limits, 'maxNameBytes' | 'maxValueBytes' | 'maxTabs' | 'allowedSkewSec'>;
  /** StatsD knows no clients: whose the events are. */
  readonly client: ClientId;
  readonly deny: DenyLists;
  readonly mapping: Mapping;
  /** Pairs of tab and client that may wait here while they are not taken. */
  readonly maxPairs: number;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly books: StatsdBooks;
  /** Last values of gauges, as a spool kept them. */
  readonly gauges: Iterable<readonly [TabName, number]>;
  /** Numbers the events of the process: orders those of one timestamp. */
  nextSequence(): number;
  /**
   * Takes what was gathered, in full; what it cannot use it removes from `parts` and counts itself.
   * @param gauges gauges whose last value has changed since the last call that succeeded
   * @throws TabaError whose status is 503: nothing was taken, and all of it is offered again
   */
  handOver(parts: PartMap, gauges: readonly (readonly [TabName, number])[]): void;
}

export interface StatsdIntakeStatus {
  readonly rules: number;
  /** Different names, kinds and tags, as they came in. */
  readonly series: number;
  readonly gauges: number;
  /** Events that are gathered and not handed over yet. */
  readonly waiting: number;
  /** DogStatsD's events and service checks: understood, and ignored. */
  readonly events_ignored: number;
  readonly service_checks_ignored: number;
}

const seriesPerTab = 2;
const keyBytesPerSeries = 100;
/** Samples of faults between two hand-overs: a flood of garbage must not cost more than that. */
const samplesPerTurn = 4;
const sampleBytes = 120;

/**
 * StatsD events on their way into a node: scanned, mapped, gathered in columns for the present second, and handed over as
 * Parts, by whoever calls `handOver` often. What is not handed over yet is lost when the process is killed: UDP has no answer
 * that could wait for more.
 */
export class StatsdIntake implements StatsdSink {
  readonly #options: StatsdIntakeOptions;
  readonly #scanner: StatsdScanner;
  readonly #columns = new NumberColumns();
  readonly #gauges: GaugeMemory;
  #mapping: Mapping;
  /** By the scanner's numbers. */
  #series: Series[] = [];
  /** By the same: 1 where numbers go straight into the columns. */
  #isPlain = new Uint8Array(1024);
  /** Parts that wait to be handed over. */
  #parts: PartMap;
  #setGauges: GaugeCell[] = [];
  #gaugeEvents = 0;
  #nowMs: number;
  /** The second that the columns are of. */
  #second = 0;
  #from: Peer = { address: '', port: 0 };
  #samplesLeft = samplesPerTurn;
  #stuck = false;
  /** There is no room, and the sender of what is being scanned cannot be made to wait. */
  #mayDrop = false;
  #eventsIgnored = 0;
  #checksIgnored = 0;

  constructor(options: StatsdIntakeOptions) {
    const { limits, clock, registry, mapping, gauges } = options;
    this.#options = options;
    this.#mapping = mapping;
    this.#nowMs = clock.nowMs();
    this.#gauges = new GaugeMemory(limits.maxTabs, gauges, this.#nowMs);
    const maxSeries = limits.maxTabs * seriesPerTab;
    this.#scanner = new StatsdScanner(this, { maxSeries, maxKeyBytes: maxSeries * keyBytesPerSeries });
    this.#parts = new PartMap(registry);
  }

  /** Events that were counted as received and are still here. */
  get waiting(): number {
    return this.#columns.events + this.#gaugeEvents + this.#parts.events;
  }

  /** Whether what waits was not taken the last time: senders that can wait should. */
  get isStuck(): boolean {
    return this.#stuck;
  }

  /** All last values of gauges, for a spool that is written anew. */
  gauges(): Iterable<readonly [TabName, number]> {
    return this.#gauges.all();
  }

  status(): StatsdIntakeStatus {
    return {
      rules: this.#mapping.rules.length,
      series: this.#scanner.series,
      gauges: this.#gauges.size,
      waiting: this.waiting,
      events_ignored: this.#eventsIgnored,
      service_checks_ignored: this.#checksIgnored,
    };
  }

  /** From now on these rules hold; what came before keeps what it has become. */
  setMapping(mapping: Mapping): void {
    this.#mapping = mapping;
    this.#scanner.forget();
  }

  /**
   * Whole lines: a packet, or a piece of a stream that was cut at line ends.
   *
   * @param waits the sender was made to wait before, or will be: nothing of it is dropped for want of room
   */
  take(bytes: Uint8Array, start: number, end: number, from: Peer, waits: boolean): void {
    this.#nowMs = this.#options.clock.nowMs();
    const second = Math.floor(this.#nowMs / 1000);
    if (second !== this.#second) {
      this.#foldColumns();
      this.#second = second;
    }
    this.#from = from;
    this.#mayDrop = !waits && this.#stuck && this.#parts.pairs >= this.#options.maxPairs;
    this.#options.books.receive(this.#scanner.scan(bytes, start, end));
  }

  /** A fault of the stream itself: a line that is too long, say. */
  reject(code: ErrorCode, message: string, from: Peer): void {
    this.#from = from;
    this.#options.books.receive(1);
    this.#reject(code, 1, () => message);
  }

  /** Hands over what waits. Cheap when nothing does. */
  handOver(): void {
    this.#samplesLeft = samplesPerTurn;
    this.#foldColumns();
    this.#gauges.sweep(this.#nowMs);
    if (this.#parts.pairs === 0) return;
    try {
      this.#options.handOver(this.#parts, [...this.#gauges.changes()]);
    } catch (error) {
      if (!(error instanceof TabaError) || error.row.status !== 503) throw error;
      this.#stuck = true;
      return;
    }
    this.#stuck = false;
    this.#gauges.recorded();
    this.#parts = new PartMap(this.#options.registry);
  }

  /** A tab is not taken: its gauge need not be remembered. */
  forgetGauge(tab: TabName): void {
    this.#gauges.forget(tab);
  }

  series(number: number, kind: MetricKind, name: MetricName): void {
    const series = seriesOf(kind, name, this.#mapping, this.#options);
    this.#series[number] = series;
    if (number >= this.#isPlain.length) {
      const grown = new Uint8Array(this.#isPlain.length * 2);
      grown.set(this.#isPlain);
      this.#isPlain = grown;
    }
    this.#isPlain[number] = series.use === 'numbers' ? 1 : 0;
  }

  forget(): void {
    this.#foldColumns();
    this.#series = [];
  }

  value(number: number, value: number, weight: number, timestampSec: number): void {
    if (this.#isPlain[number] === 1 && timestampSec < 0 && !this.#mayDrop)
      this.#columns.add(number, value, weight);
    else this.#take(this.#series[number]!, number, value, weight, timestampSec);
  }

  change(number: number, change: number, timestampSec: number): void {
    const series = this.#series[number]!;
    const isChange = series.signIsChange && series.tab !== undefined;
    const before = isChange ? this.#gauges.cell(series.tab, this.#nowMs).value : 0;
    const value = before + change;
    if (Number.isFinite(value)) this.#take(series, number, value, 1, timestampSec);
    else this.#reject('bad_value', 1, () => `${series.tab}: changed beyond the doubles`);
  }

  member(
    number: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    weight: number,
    timestampSec: number,
  ): void {
    const series = this.#series[number]!;
    const { maxValueBytes } = this.#options.limits;
    if (end - start > maxValueBytes) {
      this.#reject('bad_value', 1, () => `${series.tab}: the value has more than ${maxValueBytes} bytes`);
      return;
    }
    this.#take(series, number, payloadOfMember(series, bytes, start, end), weight, timestampSec);
  }

  fault(code: ErrorCode, reason: string, bytes: Uint8Array, start: number, end: number): void {
    this.#reject(code, 1, () => {
      const shown = textOf(bytes, start, Math.min(end, start + sampleBytes));
      return `${reason}: ${JSON.stringify(end - start > sampleBytes ? `${shown}…` : shown)}`;
    });
  }

  notice(notice: StatsdNotice): void {
    if (notice === 'event') this.#eventsIgnored++;
    else this.#checksIgnored++;
  }

  /** One event, on every way but the usual one. */
  #take(
    series: Series,
    number: number,
    payload: number | string,
    weight: number,
    timestampSec: number,
  ): void {
    switch (series.use) {
      case 'refuse':
        this.#reject(series.code, 1, () => series.message);
        return;
      case 'drop':
        this.#options.books.drop('mapping', 1);
        return;
      case 'numbers':
      case 'events':
        break;
    }
    if (this.#isDropped(series.tab)) return;
    const atSec = this.#timeOf(timestampSec);
    if (series.isGauge && typeof payload === 'number') {
      this.#setGauge(series, number, payload, atSec, timestampSec < 0);
      return;
    }
    this.#fold(series, payload, atSec, weight);
  }

  /** A gauge keeps the latest of a second only; where a rule gives it another type, every value counts. */
  #setGauge(
    series: Extract<Series, { use: 'numbers' | 'events' }>,
    number: number,
    value: number,
    atSec: number,
    isNow: boolean,
  ): void {
    const cell = this.#gauges.cell(series.tab, this.#nowMs);
    cell.value = value;
    this.#gauges.changed(cell, this.#nowMs);
    if (series.type !== gaugeType) {
      if (series.use === 'numbers' && isNow) this.#columns.add(number, value, 1);
      else this.#fold(series, value, atSec, 1);
      return;
    }
    if (!isNow) {
      this.#fold(series, value, atSec, 1);
      return;
    }
    cell.timestampSec = atSec;
    cell.sequence = this.#options.nextSequence();
    this.#gaugeEvents++;
    if (cell.waiting++ === 0) this.#setGauges.push(cell);
  }

  #timeOf(timestampSec: number): number {
    const nowSec = this.#nowMs / 1000;
    if (timestampSec < 0) return nowSec;
    if (timestampSec <= nowSec + this.#options.limits.allowedSkewSec) return timestampSec;
    this.#options.books.clamp(1);
    return nowSec;
  }

  /** Folds one event by itself. */
  #fold(
    series: Extract<Series, { use: 'numbers' | 'events' }>,
    payload: number | string,
    timestampSec: number,
    weight: number,
  ): void {
    const { tab, handler } = series;
    const { client, nextSequence } = this.#options;
    this.#attempt(tab, 1, () => {
      const value = handler.parse(series.takesText ? String(payload) : payload);
      const meta = { timestampSec, sequence: nextSequence(), weight };
      this.#parts.fold(tab, handler.type, client, value, meta);
    });
  }

  /** Turns what the columns and gauges hold into Parts. */
  #foldColumns(): void {
    if (this.#columns.events > 0) this.#columns.drain((row, gathered) => this.#foldRow(row, gathered));
    const { client, registry } = this.#options;
    const handler = registry.get(gaugeType)!;
    const cells = this.#setGauges;
    this.#setGauges = [];
    this.#gaugeEvents = 0;
    for (const cell of cells) {
      const { tab, value, timestampSec, sequence, waiting } = cell;
      cell.waiting = 0;
      this.#attempt(tab, waiting, () =>
        this.#parts.fold(tab, handler.type, client, value, { timestampSec, sequence }, waiting),
      );
    }
  }

  #foldRow(row: number, gathered: Gathered): void {
    const series = this.#series[row]!;
    if (series.use !== 'numbers') return;
    const { tab, type } = series;
    const meta = { timestampSec: this.#second, sequence: this.#options.nextSequence() };
    this.#attempt(tab, gathered.events, () =>
      this.#parts.foldGathered(tab, type, this.#options.client, gathered, meta),
    );
  }

  #attempt(tab: TabName, events: number, fold: () => void): void {
    try {
      fold();
    } catch (error) {
      // What an additional Handler throws at a value is a fault of that value, whatever it is.
      const code = error instanceof TabaError ? error.code : 'bad_value';
      this.#reject(code, events, () => `${tab}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  /** Where there is no room, only what merges with what waits already is taken. */
  #isDropped(tab: TabName): boolean {
    const { client, books } = this.#options;
    if (!this.#mayDrop || this.#parts.has(tab, client)) return false;
    books.drop('no_room', 1);
    return true;
  }

  #reject(code: ErrorCode, events: number, message: () => string): void {
    this.#options.books.reject(code, events);
    if (this.#samplesLeft-- > 0) this.#options.books.sample(this.#from, code, message());
  }
}

const gaugeType = 'Gauge';

function textOf(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString();
}

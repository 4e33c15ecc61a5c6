import type { BlockRejection } from '../core/block.js';
import { TabaError } from '../core/errors.js';
import type { ClientId } from '../core/ids.js';
import { checkClientId } from '../core/names.js';
import { PartMap } from '../core/parts.js';
import type { StageContext } from '../intake/context.js';
import type { Gathering } from '../intake/gathering.js';
import type { OtlpNaming } from '../intake/otlp/points.js';
import { type IntakePath, type IntakeProtocol, intakeProtocols, type ReadBody } from '../intake/protocol.js';
import { DictionaryRoom, TabDictionary } from '../intake/raw/dictionary.js';
import { stageColumns } from '../intake/raw/stage-columns.js';
import type { StagedColumns } from '../intake/raw/staged-columns.js';
import { Samples } from '../intake/samples.js';
import { stage, stageApart } from '../intake/stage.js';
import { type StagedParts, stageParts } from '../intake/stage-parts.js';
import type { Staged } from '../intake/staged.js';
import type { Log } from '../runtime/log.js';
import type { HttpReply, HttpRequest } from '../transport/inbound/http.js';
import type { PushFlush, PushRaw } from '../wire/frame.js';
import type { Items } from '../wire/item-sink.js';
import { encodeParts } from '../wire/parts.js';
import { claimedEvents } from '../wire/raw-columns.js';
import type { Cluster } from './cluster.js';
import { Door } from './door.js';
import type { KeyedBodies } from './keyed-bodies.js';
import { KnownNames } from './known-names.js';
import type { Mirror } from './mirror.js';
import type { AgentOptions } from './options.js';
import type { Room, Shortage } from './room.js';
import type { GaugeValue, KeyedBody, Origin } from './spool/record.js';
import type { Spool } from './spool/spool.js';

export interface ReceptionOptions {
  readonly agent: Pick<
    AgentOptions,
    'registry' | 'limits' | 'denyLists' | 'clientId' | 'clock' | 'spoolFsync'
  >;
  readonly cluster: Cluster;
  readonly mirror: Mirror | undefined;
  readonly room: Room;
  readonly spool: Spool | undefined;
  /**
   * Where numbers of bodies wait for the next flush. Undefined with a spool or a mirror, which take the Parts of each body by
   * themselves.
   */
  readonly gathering: Gathering | undefined;
  readonly bodies: KeyedBodies;
  readonly log: Log;
  readonly naming: OtlpNaming;
}

/** A flush that was taken; `refused` says why nothing of it counts, now and at any other time. */
export interface FlushTaken {
  readonly rejected: readonly BlockRejection[];
  readonly refused?: string;
}

/** A frame of events that was taken, or why nothing of it counts, now and at any other time. */
export type RawTaken = StagedColumns | { readonly refused: string };

/** How long a sender waits when there is no room. */
const retryAfterSec = 1;

/**
 * Where events come in, over whatever protocol: checked and folded apart from everything else, then taken as a whole or
 * not at all. What is answered with success is in the spool (R8), where there is one, and in memory.
 */
export class Reception {
  readonly door = new Door();
  readonly known: KnownNames;
  readonly samples: Samples;
  /** Client of events that name none, and of the agent's own. */
  readonly client: ClientId;
  /** How metrics of OTLP become tabs; replaced when the mapping rules are. */
  naming: OtlpNaming;
  /** Events that the agent made about itself. */
  ownEvents = 0;
  readonly #options: ReceptionOptions;
  readonly #context: Omit<StageContext, 'nowMs'>;
  readonly #dictionaryRoom = new DictionaryRoom();
  #sequence = 0;
  #stopping = false;

  /** @throws TabaError `bad_client` for an agent whose own name is none */
  constructor(options: ReceptionOptions) {
    const { registry, limits, denyLists, clientId, clock } = options.agent;
    this.#options = options;
    this.naming = options.naming;
    this.known = new KnownNames(limits, clock);
    this.samples = new Samples(clock);
    this.client = checkClientId(clientId);
    this.#context = {
      registry,
      limits,
      defaultClient: this.client,
      deny: denyLists,
      typeOf: (tab) => this.#options.gathering?.typeOf(tab) ?? options.cluster.typeOf(tab),
      admits: (tab, client) => this.known.admit(tab, client),
      gathering: options.gathering,
      nextSequence: () => this.nextSequence(),
    };
  }

  get stopping(): boolean {
    return this.#stopping;
  }

  /** From now on nothing new is taken. */
  stop(): void {
    this.#stopping = true;
  }

  /**
   * A body of raw events. What came before under its Idempotency-Key counts no more than once, and is answered again.
   * @throws TabaError `bad_framing`, `unsupported_version`, `body_too_large`, `overloaded`, `stopping`, `bad_parameter`,
   * `idempotency_mismatch`: nothing of it counts
   */
  async takeBody(path: IntakePath, request: HttpRequest): Promise<HttpReply> {
    const { peer } = request;
    const { read, answer, refuse } = intakeProtocols[path] as IntakeProtocol;
    const { agent, bodies } = this.#options;
    this.door.requests++;
    try {
      const keyed = bodies.of(request);
      const isRepeat = (): boolean => keyed !== undefined && bodies.knows(keyed);
      if (!isRepeat()) this.#admit();
      const body = await read(request, { limits: agent.limits, naming: this.naming });
      // Decompressing takes a while: only from here on does nothing come in between.
      const staged = isRepeat() ? this.#stageAgain(body.items) : this.#takeItems(body, keyed, peer);
      await this.#safely(this.durable());
      return answer(staged, request);
    } catch (error) {
      if (!(error instanceof TabaError)) throw error;
      this.#refused(error, peer);
      if (refuse === undefined) throw error;
      return refuse(error, request);
    }
  }

  /** Of a body that was taken before: what is wrong with it by itself, whatever else is here by now. */
  #stageAgain(items: Items): Staged {
    const nowMs = this.#options.agent.clock.nowMs();
    const nothing = { typeOf: () => undefined, admits: () => undefined, gathering: undefined };
    return stage(items, { ...this.#context, ...nothing, nowMs });
  }

  #takeItems({ items, dropped }: ReadBody, keyed: KeyedBody | undefined, peer: string): Staged {
    this.#admit();
    const { gathering, agent } = this.#options;
    const context = { ...this.#context, nowMs: agent.clock.nowMs() };
    const staged = (gathering === undefined ? stage : stageApart)(items, context);
    const rejected = new Map(staged.rejections.byCode);
    if (staged.accepted > 0) this.#takeStaged(staged, keyed);
    this.#count(staged.received, staged.clamped, rejected);
    this.#drop('mapping', dropped());
    const [first] = staged.rejections.listed;
    if (first !== undefined) this.samples.add(peer, first.code, `item ${first.index}: ${first.message}`);
    return staged;
  }

  #takeStaged(staged: Staged, keyed: KeyedBody | undefined): void {
    const { room, gathering, bodies } = this.#options;
    const shortage = room.shortageFor(staged.pairs);
    if (shortage !== undefined) throw overloaded(shortage);
    if (gathering !== undefined) staged.gatherInto(gathering);
    if (staged.parts.events > 0) staged.rejectLater(this.#accept(staged.parts, keyed));
    if (keyed !== undefined && staged.accepted > 0) bodies.taken(keyed);
  }

  /**
   * A numbered flush of an SDK that is due now.
   * @throws TabaError `overloaded`, `stopping`: it may be sent again
   */
  takeFlush({ session, number, events, payload }: PushFlush, peer: string): FlushTaken {
    this.door.requests++;
    this.#admit();
    let staged: StagedParts;
    try {
      staged = stageParts(payload, { ...this.#context, nowMs: this.#options.agent.clock.nowMs() });
    } catch (error) {
      if (!(error instanceof TabaError)) throw error;
      const claimed = Number.isFinite(events) && events > 0 ? events : 0;
      return { rejected: [], ...this.#refuseNumbered({ session, number }, claimed, error, peer) };
    }
    this.#makeRoom(staged.parts);
    // Recorded even when nothing of it is left: its number is taken.
    const later = this.#accept(staged.parts, { session, number });
    const byCode = new Map<string, number>();
    for (const { code, events: count } of staged.rejected) byCode.set(code, (byCode.get(code) ?? 0) + count);
    this.#count(staged.received, staged.clamped, byCode);
    const [first] = staged.rejected;
    if (first !== undefined) this.samples.add(peer, first.code, first.message);
    return { rejected: [...staged.rejected, ...later] };
  }

  get definitionBytes(): number {
    return this.#dictionaryRoom.bytes;
  }

  /** What numbers stand for on a connection; whoever asks for one clears it in the end. */
  dictionary(): TabDictionary {
    const { registry, limits, denyLists: deny } = this.#options.agent;
    return new TabDictionary(this.#dictionaryRoom, { registry, limits, deny });
  }

  /**
   * A numbered frame of events that is due now.
   * @throws TabaError `overloaded`, `stopping`: it may be sent again
   */
  takeRaw(frame: PushRaw, dictionary: TabDictionary, peer: string): RawTaken {
    const { gathering, room, spool, agent } = this.#options;
    this.door.requests++;
    this.#admit();
    let staged: StagedColumns;
    try {
      staged = stageColumns(frame, dictionary, { ...this.#context, nowMs: agent.clock.nowMs() });
    } catch (error) {
      if (!(error instanceof TabaError)) throw error;
      return this.#refuseNumbered(frame, claimedEvents(frame), error, peer);
    }
    if (gathering === undefined) staged.fold();
    const shortage = room.shortageFor(staged.pairs);
    if (shortage !== undefined) throw overloaded(shortage);
    const rejected = new Map(staged.rejections.byCode);
    if (gathering !== undefined) staged.gatherInto(gathering);
    // Recorded even when nothing of it is left: its number is taken.
    if (staged.parts.events > 0 || spool !== undefined) {
      const { session, number } = frame;
      staged.rejectLater(this.#accept(staged.parts, { session, number }));
    }
    this.#count(staged.received, staged.clamped, rejected);
    const [first] = staged.rejections.listed;
    if (first !== undefined) this.samples.add(peer, first.code, `item ${first.index}: ${first.message}`);
    return staged;
  }

  /** Of something whose bytes will never count: its number is used up, so that its sender is not stuck with it. */
  #refuseNumbered(
    { session, number }: Pick<PushRaw, 'session' | 'number'>,
    events: number,
    error: TabaError,
    peer: string,
  ): { readonly refused: string } {
    this.#accept(new PartMap(this.#options.agent.registry), { session, number });
    this.#count(events, 0, new Map([['corrupt', events]]));
    this.samples.add(peer, error.code, error.message);
    return { refused: error.message };
  }

  /** Numbers events of one timestamp. */
  nextSequence(): number {
    return this.#sequence++;
  }

  /**
   * What was gathered of senders that wait for no answer, which is counted as received already. What cannot be used is
   * counted as rejected, and left out.
   *
   * @param gauges last values that have changed
   * @throws TabaError `overloaded`: nothing was taken, and all of it may be offered again
   */
  takeGathered(parts: PartMap, gauges: readonly GaugeValue[]): void {
    const { room, spool } = this.#options;
    const shortage = room.shortage();
    if (shortage !== undefined && shortage !== 'pairs') throw overloaded(shortage);
    for (const { name, clients } of parts.byTab()) {
      for (const [client, { events }] of clients) {
        const code = this.known.admit(name, client);
        if (code === undefined) continue;
        parts.remove(name, client);
        this.door.reject(code, events);
      }
    }
    this.#makeRoom(parts);
    if (parts.events === 0) return;
    // Of what comes under two types, that which was answered for goes first.
    this.#options.gathering?.handOver();
    spool?.rememberGauges(gauges);
    this.#accept(parts);
  }

  /** What was gathered of bodies: it is answered for, and needs no room any more. */
  takeAnswered(parts: PartMap): void {
    this.#accept(parts);
  }

  /** What the agent tells about itself. Best effort: where there is no room, it is not told. */
  takeOwn(parts: PartMap): void {
    if (parts.events === 0 || this.#stopping || this.#shortageFor(parts) !== undefined) return;
    const { events } = parts;
    try {
      this.#accept(parts);
    } catch (error) {
      if (error instanceof TabaError) return;
      throw error;
    }
    this.ownEvents += events;
    this.door.received += events;
  }

  /** Resolves when everything taken so far survives what it is meant to survive; undefined when it does already. */
  durable(): Promise<void> | undefined {
    const { spool, agent } = this.#options;
    return spool !== undefined && agent.spoolFsync === true ? spool.durable() : undefined;
  }

  async #safely(durable: Promise<void> | undefined): Promise<void> {
    try {
      await durable;
    } catch (error) {
      // It is in memory and will be counted; whether it would survive a power cut is not known.
      const message = error instanceof Error ? error.message : String(error);
      throw new TabaError(
        'counted_in_part',
        `the events were taken, but the spool was not synced: ${message}`,
      );
    }
  }

  #admit(): void {
    if (this.#stopping) throw new TabaError('stopping', 'the agent is stopping');
    const shortage = this.#options.room.shortage();
    // Whether there are too many pairs is seen when the body's own are known: more of the same need no room.
    if (shortage !== undefined && shortage !== 'pairs') throw overloaded(shortage);
  }

  #makeRoom(parts: PartMap): void {
    const shortage = this.#shortageFor(parts);
    if (shortage !== undefined) throw overloaded(shortage);
  }

  #shortageFor(parts: PartMap): Shortage | undefined {
    return this.#options.room.shortageFor({ length: parts.pairs, [Symbol.iterator]: () => parts.entries() });
  }

  /** Takes Parts over: `parts` is empty afterwards. What cannot wait beside what waits already is in the cluster's books as rejected. */
  #accept(parts: PartMap, origin?: Origin): readonly BlockRejection[] {
    const { cluster, mirror, agent } = this.#options;
    const copy = mirror !== undefined && parts.events > 0 ? parts.copy() : undefined;
    let bytes: Uint8Array | undefined;
    const encoded = (): Uint8Array => {
      bytes ??= encodeParts(copy ?? parts, agent.registry);
      return bytes;
    };
    let rejections: readonly BlockRejection[];
    try {
      rejections = cluster.accept(parts, encoded, origin);
    } catch (error) {
      if (error instanceof TabaError && error.code === 'store_failed') throw overloaded('spool');
      throw error;
    }
    if (copy !== undefined) mirror?.addOrDrop(copy, encoded);
    return rejections;
  }

  #count(received: number, clamped: number, rejected: ReadonlyMap<string, number>): void {
    this.door.received += received;
    this.door.clamped += clamped;
    for (const [code, events] of rejected) this.door.reject(code, events);
  }

  #drop(reason: string, events: number): void {
    if (events === 0) return;
    this.door.received += events;
    this.door.drop(reason, events);
  }

  #refused(error: TabaError, peer: string): void {
    if (error.row.status === 503) {
      this.door.refusedBodies++;
      return;
    }
    this.samples.add(peer, error.code, error.message);
    this.#options.log.warn('body_refused', { peer, code: error.code, error: error.message });
  }
}

function overloaded(shortage: Shortage): TabaError {
  return new TabaError('overloaded', `no room at the moment: ${shortage}`, {
    waiting_for: shortage,
    retryAfterSec,
  });
}

import type { Answer, Block, BlockRejection } from '../../core/block.js';
import type { BucketIndex, Position } from '../../core/ids.js';
import { Turn } from '../../runtime/turn.js';
import type { Acquired, JournalEntry } from '../../storage/store.js';
import { type Admission, admit, entryOf } from './admission.js';
import type { AdmittedParts } from './admitted-parts.js';
import { type AppliedEntry, applyEntry, PartFault, touchedSlots, touchesCold } from './apply.js';
import { checkpoint } from './checkpoint.js';
import type { BucketContext } from './context.js';
import { BucketLost, HeldBucket } from './held-bucket.js';
import { JournalPlace } from './journal-place.js';
import { Producers } from './producers.js';
import { replaysOf } from './replay.js';
import { SetAsides } from './set-asides.js';
import type { Slot } from './slot.js';
import { States, StoreWentBack } from './states.js';

type Admitted = Extract<Admission, { kind: 'admitted' }>;

/** An entry of the journal, and what of it is applied. */
interface Journalled {
  readonly entry: JournalEntry;
  readonly applied: AppliedEntry;
}

/** A Block that was handed to the store. */
interface Issued {
  readonly block: Block;
  readonly atMs: number;
  readonly rejected: readonly BlockRejection[];
  readonly durable: Promise<void>;
  /** Undefined for one that is set aside. */
  readonly journalled?: Journalled;
}

/**
 * The receiving half of exactly once (rules R1, R2, R3, R5, R6, R10, R11) for one bucket: an actor. Appends are handed to
 * the store without waiting for each other, under consecutive numbers of the head; they are applied one after the other,
 * each when it is durable. Whatever else needs the States waits in the same line. Any failure of the store drops all
 * memory of the bucket, and everything that waits is told to come again.
 */
export class BucketOwner extends HeldBucket {
  #states: States;
  #producers = new Producers([], 0);
  readonly #place = new JournalPlace();
  readonly #asides: SetAsides;
  /** Blocks handed to the store and not yet applied, in the order of their positions. */
  readonly #pending: { readonly sinceMs: number; readonly parts: AdmittedParts }[] = [];
  #checkpointing: Promise<void> | undefined;

  constructor(bucket: BucketIndex, context: BucketContext) {
    super(bucket, context);
    this.#states = new States(context.registry, context.capacity, context.memory);
    this.#asides = new SetAsides(bucket, context, (item) =>
      this.write((store, head) => store.setAside(head, item)),
    );
  }

  /** For reading; whoever changes them does so inside `exclusively`. */
  get states(): States {
    return this.#states;
  }

  get producers(): Producers {
    return this.#producers;
  }

  get appliedPosition(): Position {
    return this.#place.applied;
  }

  get nowMs(): number {
    return this.context.clock.nowMs();
  }

  /** Whether a checkpoint could trim the journal. */
  get isDirty(): boolean {
    return this.phase === 'serving' && this.#place.applied > this.#place.trimmed;
  }

  /**
   * Whether the pages have everything, and the journal nothing that has been applied. Otherwise a page that is deleted
   * may come back, by a replay or by the next checkpoint.
   */
  get isWrittenDown(): boolean {
    return this.#place.applied === this.#place.trimmed && !this.#states.isDirty;
  }

  /** Entries of the journal that no checkpoint has made superfluous yet, those under way included. */
  get journalEntries(): number {
    return this.phase === 'serving' ? this.#place.issued - this.#place.trimmed : 0;
  }

  get pendingBlocks(): number {
    return this.#pending.length;
  }

  /** When the oldest Block that is not applied yet came, or undefined. */
  get oldestPendingMs(): number | undefined {
    return this.#pending[0]?.sinceMs;
  }

  protected override acquired(): void {
    if (this.isDirty) this.context.changed(this.bucket);
  }

  protected override gaveUp(): void {
    this.context.gaveUp?.(this.bucket);
  }

  /** Builds the memory of the bucket from what the store has: an index of the pages, and the tail on top of them (R6). */
  protected override takeOver(acquired: Acquired): Promise<void> {
    const { generation } = this;
    return this.context.replays.pass(() => this.#takeOver(acquired, generation));
  }

  async #takeOver(acquired: Acquired, generation: number): Promise<void> {
    this.check(generation);
    this.#states.index(acquired.pages);
    this.#producers = new Producers(acquired.producers, acquired.forgetHorizonMs);
    this.#place.begin(acquired);
    const turn = new Turn(this.context.clock);
    const replays: Journalled[] = [];
    for (const { entry, applied, faults } of replaysOf(acquired, this.context.registry, this.#states)) {
      for (const fault of faults) await this.#asides.part(entry, fault);
      replays.push({ entry, applied });
      if (turn.isOver) await turn.pause();
      this.check(generation);
    }
    // All at once, instead of one after the other with every entry.
    const states = this.#states;
    const slots = [...new Set(replays.flatMap(({ applied }) => touchedSlots(applied)))];
    try {
      await this.load(slots);
      this.check(generation);
      for (const replay of replays) {
        // Added after the wait: other buckets, acquired meanwhile, count here as well.
        const replayed = await this.#apply(replay);
        this.context.books.replayed += replayed;
        if (turn.isOver) await turn.pause();
        this.check(generation);
      }
    } finally {
      states.unpin(slots);
    }
    this.#place.applied = acquired.lastPosition;
  }

  /** The Block is checked, appended, applied and acknowledged, or answered at once. Never rejects. */
  take(block: Block): Promise<Answer> {
    const isNext = this.phase === 'serving' && this.judge(block).kind === 'append';
    return isNext ? this.#takeNext(block) : this.#takeOther(block);
  }

  #takeNext(block: Block): Promise<Answer> {
    return this.context.capacity.isOverfull ? Promise.resolve(this.#busy()) : this.#append(block);
  }

  async #takeOther(block: Block): Promise<Answer> {
    for (;;) {
      if (this.phase === 'acquiring') return this.#busy();
      if (this.phase !== 'serving') return { kind: 'not_owner' };
      let verdict = this.judge(block);
      if (verdict.kind === 'answer') {
        if (verdict.answer.kind === 'acknowledged') return verdict.answer;
        if (!(await this.confirmed()) || this.phase !== 'serving') return this.#turnAway();
        verdict = this.judge(block);
        if (verdict.kind === 'answer') return verdict.answer;
      }
      if (verdict.kind === 'append') return this.#takeNext(block);
      const pending = await verdict.pending;
      if (pending.kind !== 'acknowledged') return pending;
      // What it waited for is durable, so that its number can be judged.
    }
  }

  protected judge(block: Block): ReturnType<Producers['judge']> {
    return this.#producers.judge(block);
  }

  /**
   * Asks the store whether the bucket is still ours. An owner that was replaced without noticing, because it had nothing
   * to write, knows old numbers: "expects" and "unknown producer" from such a one would make a producer give up what its
   * successor counted. (An acknowledged number stays acknowledged, and an append finds out by itself.)
   */
  protected async confirmed(): Promise<boolean> {
    try {
      await this.confirm();
      return true;
    } catch {
      return false;
    }
  }

  #turnAway(): Answer {
    return this.phase === 'acquiring' ? this.#busy() : { kind: 'not_owner' };
  }

  #busy(): Answer {
    return { kind: 'busy', retryAfterMs: this.context.retryAfterMs };
  }

  #append(block: Block): Promise<Answer> {
    const { books, clock } = this.context;
    // A write that fails at once replaces them.
    const producers = this.#producers;
    const admission = admit(block, this.context.registry, this.#states, this.context.capacity);
    const atMs = clock.nowMs();
    books.received += block.events;
    books.pending += block.events;
    const written =
      admission.kind === 'corrupt'
        ? this.#refuse(block, admission, atMs)
        : this.#journal(block, admission, atMs);
    producers.issued(block, atMs, written);
    return written;
  }

  #refuse(block: Block, { message }: { readonly message: string }, atMs: number): Promise<Answer> {
    const { events } = block;
    const rejected: BlockRejection[] = [{ tab: '', client: '', events, code: 'corrupt', message }];
    const durable = this.#asides.block(block, message, atMs);
    return this.#inLine(this.#settle({ block, atMs, rejected, durable }));
  }

  #journal(block: Block, admitted: Admitted, atMs: number): Promise<Answer> {
    const position = (this.#place.issued + 1) as Position;
    this.#place.issued = position;
    const { rejected, parts } = admitted;
    this.#pending.push({ sinceMs: atMs, parts });
    const entry = entryOf(block, admitted, { position, atMs });
    const journalled = { entry, applied: { position, atMs, parts } };
    return this.#inLine(this.#settle({ block, atMs, rejected, durable: this.append(entry), journalled }));
  }

  #inLine(answer: Promise<Answer>): Promise<Answer> {
    this.line = answer;
    return answer;
  }

  /** Waits for the write (R2), and for everything before it, then applies and acknowledges. Never rejects. */
  async #settle({ block, atMs, rejected, durable, journalled }: Issued): Promise<Answer> {
    const { generation, line } = this;
    const { books, turn } = this.context;
    try {
      await durable;
      await line;
      if (turn.isOver) await turn.pause();
      this.check(generation);
      if (journalled !== undefined) {
        const applying = this.#apply(journalled);
        const events = typeof applying === 'number' ? applying : await applying;
        this.check(generation);
        this.#applied(block, journalled.entry, events);
      }
      books.settle(block.events, rejected);
      // Last: whoever is told that a repeat was counted must see it.
      this.#producers.durable(block, atMs, rejected);
      books.pending -= block.events;
      return { kind: 'acknowledged', repeat: false, rejected };
    } catch {
      // The memory is dropped; the number will be judged anew by what the journal says.
      books.pending -= block.events;
      books.returned += block.events;
      return this.#turnAway();
    }
  }

  #applied({ producer, sealedAtMs }: Block, { position, atMs }: JournalEntry, events: number): void {
    const { context } = this;
    this.#place.applied = position;
    this.#pending.shift();
    context.changed(this.bucket);
    context.onApplied?.({ producer, sealedAtMs, atMs, nowMs: context.clock.nowMs(), events });
  }

  protected append(entry: JournalEntry): Promise<void> {
    return this.write((store, head) => store.append(head, entry));
  }

  /** @returns how many events were applied; at once where every State that it touches is in memory */
  #apply({ applied, entry }: Journalled): number | Promise<number> {
    if (touchesCold(applied)) return this.#loadAndApply({ applied, entry });
    try {
      const events = applyEntry(this.#states, applied, this.context.rules);
      this.context.loaded();
      return events;
    } catch (error) {
      return this.#faulted(entry, error);
    }
  }

  async #loadAndApply({ applied, entry }: Journalled): Promise<number> {
    const { generation } = this;
    const states = this.#states;
    const cold = touchedSlots(applied);
    try {
      await this.load(cold);
      // Lost while waiting, the bucket has other States by now, which are not for this entry.
      this.check(generation);
      return applyEntry(states, applied, this.context.rules);
    } catch (error) {
      if (error instanceof StoreWentBack) this.lose(generation, error);
      return await this.#faulted(entry, error);
    } finally {
      states.unpin(cold);
    }
  }

  /** Keeps the Part at fault aside, for a Handler's fault. @throws error */
  async #faulted(entry: JournalEntry, error: unknown): Promise<never> {
    if (!(error instanceof PartFault)) throw error;
    const { generation } = this;
    const { tab, client, events } = error.part;
    await this.#asides.part(entry, { tab, client, events, reason: error.message, bytes: entry.payload });
    // The States may hold half a Part: memory is made anew, without it.
    this.lose(generation, error);
    throw error;
  }

  /** Brings States into memory and pins them; the caller unpins. Only inside `exclusively`. */
  async load(slots: readonly Slot[]): Promise<void> {
    await this.#states.load(
      slots,
      (keys) => this.readPages(keys),
      (slot, bytes, error) => this.#asides.page(slot, bytes, error),
    );
    this.context.loaded();
  }

  protected override forget(): void {
    this.#pending.length = 0;
    // New objects: what was begun before the loss may still hold the old ones.
    this.#states.clear();
    const { registry, capacity, memory } = this.context;
    this.#states = new States(registry, capacity, memory);
    this.#producers = new Producers([], 0);
    this.#place.forget();
    this.#checkpointing = undefined;
  }

  /** Writes dirty States and trims; one at a time. Rejects when the bucket was lost. */
  checkpoint(): Promise<void> {
    if (this.#checkpointing !== undefined) return this.#checkpointing;
    const running = this.#checkpoint().finally(() => {
      if (this.#checkpointing === running) this.#checkpointing = undefined;
    });
    this.#checkpointing = running;
    return running;
  }

  async #checkpoint(): Promise<void> {
    // While it is being acquired, its States do not have what its journal has: trimming that would lose it.
    if (this.phase !== 'serving' && this.phase !== 'leaving') throw new BucketLost(this.bucket);
    const generation = this.generation;
    await checkpoint({
      states: this.#states,
      turn: this.context.turn,
      appliedPosition: () => this.#place.applied,
      trimmedPosition: () => this.#place.trimmingTo,
      write: (pages) => this.writePages(pages),
      trim: (upTo) => {
        // Lost while it waited for its turn, the bucket may be held again: its journal is for States that are not these.
        this.check(generation);
        this.#place.trimmingTo = upTo;
        return this.write((store, head) => store.trim(head, upTo));
      },
    });
    this.check(generation);
    this.#place.trimmed = this.#place.trimmingTo;
  }

  /** Entries that are to be applied yet have their places again, after something was removed. */
  declarePending(): void {
    for (const { parts } of this.#pending) parts.declareAgain(this.#states);
  }

  /** Drops cold, covered States from memory. @returns how many */
  evict(count: number): number {
    return this.#states.evict(count);
  }

  /** Finishes what is under way, writes everything down, and gives the bucket up: the successor finds an empty tail. */
  async release(): Promise<void> {
    if (this.phase === 'idle') return;
    const served = this.phase === 'serving';
    this.phase = 'leaving';
    this.hasBegun();
    try {
      if (served) {
        await this.exclusively(async () => {});
        await this.checkpoint();
      }
    } catch {
      // Lost meanwhile: the journal has what was acknowledged.
    }
    this.forgetAll();
    this.phase = 'idle';
  }
}

import type { BucketIndex, HeadToken } from '../../core/ids.js';
import { type Head, HeadMismatch, type Page, type PageKey, type PageWrite } from '../../storage/store.js';
import type { BucketContext } from './context.js';
import { StoreWentBack } from './states.js';

/** idle: not ours · acquiring: waits for the store, or for the next try · serving · leaving: hands over */
export type OwnerState = 'idle' | 'acquiring' | 'serving' | 'leaving';

/**
 * Where the newest assignment has a bucket; unknown where that cannot be learnt now. It is contested where it is assigned
 * here and another server may serve it, who has to be asked for it first.
 */
export type AssignedPlace = 'here' | 'contested' | 'elsewhere' | 'unknown';

/** Whoever waits to learn of an assignment pauses as after so many failures. */
const pausesForNews = 1;

/** The bucket was lost while something was waiting for it. */
export class BucketLost extends Error {
  constructor(bucket: BucketIndex) {
    super(`bucket ${bucket} was lost, and is being acquired again`);
    this.name = 'BucketLost';
  }
}

/**
 * The hold on a bucket: the head that every write carries (R1), the line in which everything that needs the States
 * waits, and the loss of it all when any outcome is unknown (R3).
 */
export abstract class HeldBucket {
  readonly bucket: BucketIndex;
  protected readonly context: BucketContext;
  protected phase: OwnerState = 'idle';
  #token: HeadToken | undefined;
  #n = 0;
  /** Counts the losses: what was begun under an earlier one knows nothing any more. */
  #generation = 0;
  /** The end of the line, which never rejects: whoever needs the States waits for it, and puts himself in its place. */
  protected line: Promise<unknown> = Promise.resolve();
  #failures = 0;
  /** Another server may have taken it, and serve it: the store said so, or this one was taken for dead meanwhile. */
  #mayBeTaken = false;
  #callOff: (() => void) | undefined;
  #begun: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined;

  constructor(bucket: BucketIndex, context: BucketContext) {
    this.bucket = bucket;
    this.context = context;
  }

  get state(): OwnerState {
    return this.phase;
  }

  protected get generation(): number {
    return this.#generation;
  }

  protected check(generation: number): void {
    if (generation !== this.#generation) throw new BucketLost(this.bucket);
  }

  /** Begins to own the bucket; resolves when it serves for the first time, or has been given up. */
  start(): Promise<void> {
    if (this.phase !== 'idle') return this.#begun?.promise ?? Promise.resolve();
    this.phase = 'acquiring';
    let resolve = (): void => {};
    const promise = new Promise<void>((done) => {
      resolve = done;
    });
    this.#begun = { promise, resolve };
    void this.acquire();
    return promise;
  }

  /** Whoever waits for the beginning need not wait any more. */
  protected hasBegun(): void {
    this.#begun?.resolve();
  }

  /** Acquires until it works or the bucket is given up. */
  protected async acquire(): Promise<void> {
    const generation = this.#generation;
    this.#callOff = undefined;
    this.#mayBeTaken = false;
    try {
      const acquired = await this.context.store.acquire(this.bucket, this.context.ownerId);
      if (generation !== this.#generation) return;
      this.#checkInTime();
      this.#token = acquired.token;
      this.#n = 0;
      await this.takeOver(acquired);
      this.check(generation);
      if (this.#mayBeTaken) await this.#confirm();
      this.#failures = 0;
      this.phase = 'serving';
      this.hasBegun();
      this.acquired();
    } catch (error) {
      this.lose(generation, error);
    }
  }

  /**
   * The store may have been long in answering. If this server was taken for dead meanwhile, another one may serve the bucket
   * that was just taken from it, and answer queries until it notices: it has to be asked for first.
   */
  #checkInTime(): void {
    const { isCurrent = () => true } = this.context;
    if (!this.#mayBeTaken && isCurrent()) return;
    this.#mayBeTaken = true;
    throw new Error(`bucket ${this.bucket} was acquired too late`);
  }

  /** Builds the memory of the bucket. */
  protected abstract takeOver(
    acquired: Awaited<ReturnType<BucketContext['store']['acquire']>>,
  ): Promise<void>;
  protected abstract acquired(): void;
  /** It is somebody else's, or has to be asked for. */
  protected abstract gaveUp(): void;
  /** Drops the memory of the bucket. */
  protected abstract forget(): void;

  protected head(): Head {
    if (this.#token === undefined) throw new BucketLost(this.bucket);
    return { bucket: this.bucket, token: this.#token, n: this.#n };
  }

  /** Issues a write under the next number of the head (R1), within the call; whatever goes wrong loses the bucket (R3). */
  async write(issue: (store: BucketContext['store'], head: Head) => Promise<void>): Promise<void> {
    const generation = this.#generation;
    try {
      const head = this.head();
      this.#n++;
      await issue(this.context.store, head);
      this.check(generation);
    } catch (error) {
      this.lose(generation, error);
      throw error;
    }
  }

  writePages(pages: readonly PageWrite[]): Promise<void> {
    return this.write((store, head) => store.writePages(head, pages));
  }

  async readPages(keys: readonly PageKey[]): Promise<readonly (Page | undefined)[]> {
    const generation = this.#generation;
    try {
      const pages = await this.context.store.readPages(this.head(), keys);
      this.check(generation);
      return pages;
    } catch (error) {
      this.lose(generation, error);
      throw error;
    }
  }

  /**
   * Runs `action` when everything before it is done, and nothing beside it that needs the States. Rejects with what
   * `action` throws (StoreWentBack also loses the bucket), and when the bucket was lost before or meanwhile: while it is being acquired its States are half made.
   */
  async exclusively<T>(action: (check: () => void) => Promise<T>): Promise<T> {
    if (this.phase === 'idle' || this.phase === 'acquiring') throw new BucketLost(this.bucket);
    const generation = this.#generation;
    const check = (): void => this.check(generation);
    const run = this.line.then(async () => {
      check();
      try {
        const result = await action(check);
        check();
        return result;
      } catch (error) {
        if (error instanceof StoreWentBack) this.lose(generation, error);
        throw error;
      }
    });
    this.line = run.catch(() => {});
    return run;
  }

  /** R3: whatever was known about the bucket is not known any more. Acquires again while it is ours. */
  protected lose(generation: number, error: unknown): void {
    if (generation !== this.#generation || this.phase === 'idle') return;
    if (error instanceof HeadMismatch) this.#mayBeTaken = true;
    this.forgetAll();
    this.context.log.warn('bucket_lost', {
      bucket: this.bucket,
      reason: String(error),
      failures: this.#failures,
    });
    if (this.phase === 'leaving') return;
    this.phase = 'acquiring';
    this.#tryAgain(this.#failures++);
  }

  #tryAgain(failures: number): void {
    const { clock, backoffMs } = this.context;
    this.#callOff = clock.after(backoffMs(failures), () => void this.#acquireAgain());
  }

  /** Looks at the newest assignment first: whoever was replaced must not take the bucket back. */
  async #acquireAgain(): Promise<void> {
    const generation = this.#generation;
    this.#callOff = undefined;
    const mayBeTaken = this.#mayBeTaken;
    const place = (await this.context.assignedPlace?.(this.bucket, mayBeTaken)) ?? 'here';
    if (generation !== this.#generation || this.phase !== 'acquiring') return;
    // It was learnt while this was looked up.
    if (mayBeTaken !== this.#mayBeTaken) {
      this.#tryAgain(pausesForNews);
      return;
    }
    switch (place) {
      case 'here':
        await this.acquire();
        return;
      case 'unknown':
        this.#tryAgain(pausesForNews);
        return;
      case 'contested':
      case 'elsewhere':
        this.forgetAll();
        this.phase = 'idle';
        this.hasBegun();
        this.gaveUp();
    }
  }

  /** This server was taken for dead: asks the store whether the bucket is still ours; when it is not, it is lost. */
  async confirm(): Promise<void> {
    this.#mayBeTaken = true;
    // One that is being acquired is asked about when it is.
    if (this.phase === 'serving') await this.#confirm();
  }

  async #confirm(): Promise<void> {
    await this.readPages([]);
    this.#mayBeTaken = false;
  }

  protected forgetAll(): void {
    this.#generation++;
    this.#token = undefined;
    this.line = Promise.resolve();
    this.#callOff?.();
    this.#callOff = undefined;
    this.context.store.released?.(this.bucket);
    this.forget();
  }
}

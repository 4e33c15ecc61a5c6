import { readFileSync } from 'node:fs';
import type { Actor, Stage } from '../stage.js';

const periodMs = 250;
const mib = 2 ** 20;

/** What processes hold, as the system says: bytes of resident memory. */
export class MemoryWatch {
  readonly #rows: readonly MemoryRow[];
  readonly #timer: NodeJS.Timeout;

  constructor(stage: Stage, actors: readonly Actor[]) {
    this.#rows = actors.map((actor) => new MemoryRow(actor));
    this.#timer = setInterval(() => {
      for (const row of this.#rows) row.look();
    }, periodMs);
    stage.defer(() => clearInterval(this.#timer));
  }

  get rows(): readonly MemoryRow[] {
    return this.#rows;
  }

  /** A line for each process. */
  tell(stage: Stage): void {
    for (const row of this.#rows) stage.did(row.text);
  }
}

export class MemoryRow {
  readonly name: string;
  readonly #pid: number;
  readonly #beforeBytes: number;
  #mostBytes = 0;
  #nowBytes: number;

  constructor({ name, daemon }: Actor) {
    this.name = name;
    this.#pid = daemon.pid;
    this.#beforeBytes = residentBytes(this.#pid);
    this.#nowBytes = this.#beforeBytes;
  }

  look(): void {
    this.#nowBytes = residentBytes(this.#pid);
    this.#mostBytes = Math.max(this.#mostBytes, this.#nowBytes);
  }

  /** The most it held. */
  get mostBytes(): number {
    return this.#mostBytes;
  }

  /** How much more it held at some time than in the beginning. */
  get grownBytes(): number {
    return Math.max(0, this.#mostBytes - this.#beforeBytes);
  }

  get text(): string {
    const [before, most, now] = [this.#beforeBytes, this.#mostBytes, this.#nowBytes].map((bytes) =>
      (bytes / mib).toFixed(0),
    );
    return `${this.name}: ${before} MiB before, ${most} MiB at most, ${now} MiB after`;
  }
}

/** 0 where there is no such process any more. */
function residentBytes(pid: number): number {
  try {
    const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
    return Number(line?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

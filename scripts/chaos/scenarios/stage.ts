import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Daemon, type LogLine } from '../../process/daemon.js';
import { freePort } from '../../process/free-port.js';
import type { ClientReport } from '../load.js';
import { findMismatches } from '../oracle.js';
import { ScenarioFailure } from './scenario.js';

export interface StageOptions {
  /** How Taba is run. */
  readonly program: readonly string[];
  /** For data, spools and logs of this scenario. */
  readonly folder: string;
  readonly seed: number;
  readonly print: (line: string) => void;
}

/** A Taba daemon on the stage. */
export interface Actor {
  readonly name: string;
  readonly daemon: Daemon;
  readonly port: number;
  readonly url: string;
  /** What it has logged, over all its runs. */
  readonly log: readonly LogLine[];
}

export interface ActorOptions {
  /** Where the others reach it: a proxy before it, say. */
  readonly advertise?: number;
  readonly port?: number;
}

const untilDeadlineMs = 30_000;
const shownMismatches = 10;

/** What a scenario acts on: it tells what is done and seen, checks, starts daemons, and clears away afterwards. */
export class Stage {
  readonly folder: string;
  readonly seed: number;
  readonly program: readonly string[];
  readonly #print: (line: string) => void;
  readonly #beganAtMs = performance.now();
  readonly #cleanups: (() => Promise<unknown> | unknown)[] = [];

  constructor(options: StageOptions) {
    this.folder = options.folder;
    this.seed = options.seed;
    this.program = options.program;
    this.#print = options.print;
    mkdirSync(this.folder, { recursive: true });
  }

  /** What was done. */
  did(text: string): void {
    this.#tell(text);
  }

  /** What was seen, and had to be. @throws ScenarioFailure where it was not */
  check(holds: boolean, text: string, details?: unknown): void {
    if (holds) this.#tell(`seen: ${text}`);
    else {
      const more = details === undefined ? '' : ` (${JSON.stringify(details)})`;
      throw new ScenarioFailure(`not so: ${text}${more}`);
    }
  }

  #tell(text: string): void {
    const sec = (performance.now() - this.#beganAtMs) / 1000;
    this.#print(`  +${sec.toFixed(1).padStart(5)} s  ${text}`);
  }

  /** Run at the end, last first, however the scenario ends. */
  defer(cleanup: () => Promise<unknown> | unknown): void {
    this.#cleanups.push(cleanup);
  }

  async clear(): Promise<void> {
    for (const cleanup of this.#cleanups.reverse()) await cleanup();
  }

  /** Waits until something holds. @throws ScenarioFailure when it does not in time; the last error says why */
  async until(what: string, holds: () => Promise<boolean> | boolean, deadlineMs = untilDeadlineMs) {
    const endMs = performance.now() + deadlineMs;
    for (;;) {
      let reason = '';
      try {
        if (await holds()) return;
      } catch (error) {
        reason = `: ${(error as Error).message}`;
      }
      if (performance.now() > endMs) {
        throw new ScenarioFailure(`waited ${deadlineMs / 1000} s for ${what}${reason}`);
      }
      await pause(20);
    }
  }

  /** Waits for a promise. @throws ScenarioFailure when it takes too long */
  async within<T>(what: string, promise: Promise<T>, deadlineMs = untilDeadlineMs): Promise<T> {
    const late = new AbortController();
    const timeout = pause(deadlineMs, undefined, { signal: late.signal }).then(() => {
      throw new ScenarioFailure(`waited ${deadlineMs / 1000} s for ${what}`);
    });
    try {
      return await Promise.race([promise, timeout]);
    } finally {
      late.abort();
      timeout.catch(() => {});
    }
  }

  /** A daemon that is not started yet. It is killed at the end. */
  async actor(name: string, command: readonly string[], options: ActorOptions = {}): Promise<Actor> {
    const port = options.port ?? (await freePort());
    const advertise = `127.0.0.1:${options.advertise ?? port}`;
    const args = ['--port', String(port), '--advertise', advertise, '--log-format', 'json'];
    const log: LogLine[] = [];
    const daemon = new Daemon(name, [...this.program, ...command, ...args], {
      logFile: join(this.folder, `${name}.log`),
      onLog: (line) => log.push(line),
    });
    this.defer(() => daemon.kill());
    return { name, daemon, port, url: `http://127.0.0.1:${port}`, log };
  }

  /**
   * Compares every count and total, per client and over all of them, as a server answers them.
   *
   * @throws ScenarioFailure naming what is wrong
   */
  async compare(serverUrl: string, reports: readonly ClientReport[], as = serverUrl): Promise<void> {
    const mismatches = await this.#comparable(serverUrl, reports);
    const figures = reports.flatMap(({ ledger }) => ledger);
    const events = figures.reduce((sum, [, { count }]) => sum + count, 0);
    if (mismatches.length === 0) {
      const clients = `${figures.length} tabs of ${reports.length} ${reports.length === 1 ? 'client' : 'clients'}`;
      this.#tell(`exact: ${events} events in ${clients}, per client and over all, as ${as} answers`);
      return;
    }
    for (const { where, expected, found } of mismatches.slice(0, shownMismatches)) {
      this.#print(`  WRONG ${where} ${JSON.stringify(found)} instead of ${JSON.stringify(expected)}`);
    }
    throw new ScenarioFailure(`${mismatches.length} figures are wrong`);
  }

  /** A server that is about to take buckets over says so, and is asked again. */
  async #comparable(serverUrl: string, reports: readonly ClientReport[]) {
    const endMs = performance.now() + untilDeadlineMs;
    for (;;) {
      try {
        return await findMismatches(serverUrl, reports);
      } catch (error) {
        if (performance.now() > endMs) throw error;
        await pause(100);
      }
    }
  }
}

import { appendFileSync } from 'node:fs';
import { Child } from './child.js';

/** A line of a daemon's log. The one that says that it is ready carries its addresses. */
export interface LogLine {
  readonly event?: string;
  readonly level?: string;
  readonly [field: string]: unknown;
}

export interface DaemonOptions {
  readonly env?: NodeJS.ProcessEnv;
  /** Gets a copy of its log, over all its runs. */
  readonly logFile?: string;
  readonly onLog?: (line: LogLine) => void;
}

const linesKept = 20;

/** One Taba daemon as a real process. It is ready when it says so in its log, which must be JSON. */
export class Daemon extends Child {
  readonly #lastLines: string[];
  #told: (line: LogLine) => void = () => {};

  constructor(name: string, command: readonly string[], options: DaemonOptions = {}) {
    const { env, logFile, onLog } = options;
    const lastLines: string[] = [];
    super(name, command, {
      ...(env === undefined ? {} : { env }),
      onLine: (text) => {
        lastLines.push(text);
        if (lastLines.length > linesKept) lastLines.shift();
        if (logFile !== undefined) appendFileSync(logFile, `${text}\n`);
        const line = parseLine(text);
        onLog?.(line);
        this.#told(line);
      },
    });
    this.#lastLines = lastLines;
  }

  /** Starts, and waits until it is ready. @throws when it ends first, with the last lines it wrote */
  async start(): Promise<void> {
    this.#lastLines.length = 0;
    let isReady = false;
    const ready = new Promise<void>((resolve) => {
      this.#told = ({ event }) => {
        if (event !== 'ready') return;
        isReady = true;
        resolve();
      };
    });
    await this.spawn();
    await Promise.race([ready, this.ended()]);
    if (isReady) return;
    throw new Error(
      `${this.name} ended (${this.ending}) before it was ready:\n${this.#lastLines.join('\n')}`,
    );
  }
}

function parseLine(text: string): LogLine {
  try {
    return JSON.parse(text) as LogLine;
  } catch {
    return { event: 'unstructured', text };
  }
}

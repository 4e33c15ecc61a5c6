import type { Addresses } from './daemon.js';

/** Tells a process started by `taba server --workers` which one it is: 0, 1, 2, … */
export const workerVariable = 'TABA_WORKER';

/** What a worker says to its parent, and the parent to a worker, over the channel that Node makes between them. */
export type WorkerMessage =
  | { readonly kind: 'taba_worker_ready'; readonly addresses: Addresses }
  | { readonly kind: 'taba_worker_reload' }
  | { readonly kind: 'taba_worker_stop'; readonly reason: string };

const kinds: Readonly<Record<WorkerMessage['kind'], true>> = {
  taba_worker_ready: true,
  taba_worker_reload: true,
  taba_worker_stop: true,
};

/** What else comes over the channel (tsx tells its own news there) is none. */
export function asWorkerMessage(message: unknown): WorkerMessage | undefined {
  if (typeof message !== 'object' || message === null || !('kind' in message)) return undefined;
  const { kind } = message;
  return typeof kind === 'string' && Object.hasOwn(kinds, kind) ? (message as WorkerMessage) : undefined;
}

/** A worker's side of the channel. */
export interface ParentProcess {
  readonly worker: number;
  /** The parent wants this worker to stop, or is dead: then nobody would ever stop it. */
  onStop(stop: (reason: string) => void): void;
  /** The parent was asked to read the settings again. Never said to a worker before it is ready. */
  onReload(reload: () => void): void;
  ready(addresses: Addresses): void;
  /** Lets this process end. */
  close(): void;
}

/** The parent of this process, where it is a worker. */
export function parentProcess(env: NodeJS.ProcessEnv): ParentProcess | undefined {
  const index = env[workerVariable];
  if (index === undefined || process.send === undefined) return undefined;
  return {
    worker: Number(index),
    onStop(stop) {
      process.on('message', (message) => {
        const known = asWorkerMessage(message);
        // Later: Node 20 cannot bear that a handler of a message that had to wait for it closes the channel.
        if (known?.kind === 'taba_worker_stop') setImmediate(() => stop(known.reason));
      });
      process.on('disconnect', () => stop('the parent is gone'));
    },
    onReload(reload) {
      process.on('message', (message) => {
        if (asWorkerMessage(message)?.kind === 'taba_worker_reload') reload();
      });
    },
    ready(addresses) {
      const message: WorkerMessage = { kind: 'taba_worker_ready', addresses };
      // A parent that died this moment is noticed by 'disconnect'.
      process.send?.(message, undefined, {}, () => {});
    },
    close() {
      if (process.connected) process.disconnect();
    },
  };
}

import { TabaError } from '../core/errors.js';
import type { HandlerRegistry } from '../core/handlers/registry.js';
import type { Limits } from '../core/limits.js';
import type { Clock } from '../runtime/clock.js';
import type { Log } from '../runtime/log.js';
import { createLog } from '../runtime/pino-log.js';
import { systemClock } from '../runtime/system-clock.js';
import type { Arguments } from './command.js';
import type { ExitCode, Io } from './io.js';
import { handlersWith } from './load-handlers.js';
import { startProfile } from './profile.js';
import { resolveSettings } from './settings/resolve.js';
import type { Daemon, SettingValues } from './settings/table.js';
import { stopOrder } from './stop-order.js';
import { CommandFailure } from './usage-error.js';
import { version } from './version.js';
import { type ParentProcess, parentProcess } from './worker-channel.js';

/** What every daemon is made from. */
export interface Ingredients {
  readonly settings: SettingValues;
  readonly isGiven: (name: keyof SettingValues) => boolean;
  readonly registry: HandlerRegistry;
  readonly limits: Limits;
  readonly clock: Clock;
  readonly log: Log;
}

/** Where a daemon is reached, by role. */
export type Addresses = Readonly<Record<string, string | readonly string[]>>;

/** A daemon that is ready. */
export interface Running {
  readonly addresses: Addresses;
  /** Takes over what of the settings can change while it runs. @throws TabaError `bad_setting`; then nothing has changed */
  reload(settings: SettingValues): void;
  close(deadlineMs: number): Promise<void>;
}

/** What a daemon takes over while it runs; everything else wants a restart. */
const reloadable = ['mapping'] as const;

/** Runs a daemon until a signal stops it: settings, start, one `ready` line, drain. */
export async function runDaemon(
  daemon: Daemon,
  args: Arguments,
  io: Io,
  start: (ingredients: Ingredients) => Promise<Running>,
): Promise<ExitCode> {
  const {
    values: settings,
    given,
    notes,
  } = resolveSettings(daemon, { ...args, env: io.env, folder: io.folder });
  const parent = parentProcess(io.env);
  const log = logOf(settings, io, parent);
  // The parent has said it already.
  for (const { event, fields } of parent === undefined ? notes : []) log.info(event, fields);
  const registry = handlersWith(settings['additional-handlers']);
  const profile = settings.workers > 1 ? undefined : settings.profile;
  const endProfile = profile === undefined ? undefined : await startProfile(profile);

  // Listening to signals before the start: as process 1, a process without handlers could not be stopped at all.
  const stopped = stopOrder(log, parent);
  const clock = systemClock({
    onJump: ({ kind, aheadMs, reason }) =>
      log.warn('clock_jumped', { jumpMs: aheadMs, action: kind, reason }),
  });
  const isGiven = (name: keyof SettingValues) => given.has(name);
  const ingredients = { settings, isGiven, registry, limits: limitsOf(settings), clock, log };
  try {
    const sources = { ...args, env: io.env, folder: io.folder };
    const reread = () => resolveSettings(daemon, sources).values;
    await untilStopped({ daemon, start: () => start(ingredients), stopped, parent, log, settings, reread });
    leaveSoon(0);
    return 0;
  } catch (error) {
    leaveSoon(1);
    throw error;
  } finally {
    await endProfile?.();
    // Otherwise the channel keeps this process.
    parent?.close();
  }
}

interface Life {
  readonly daemon: Daemon;
  start(): Promise<Running>;
  readonly stopped: Promise<string>;
  readonly parent: ParentProcess | undefined;
  readonly log: Log;
  readonly settings: SettingValues;
  /** @throws UsageError */
  reread(): SettingValues;
}

async function untilStopped(life: Life): Promise<void> {
  const { daemon, start, stopped, parent, log, settings } = life;
  const startedAtMs = performance.now();
  const starting = start().catch((error: unknown) => {
    throw startFailure(error);
  });
  const ready = await Promise.race([starting, stopped.then(() => undefined)]);
  if (ready !== undefined) {
    // Before it is said: whoever reads `ready` may send the signal at once.
    const onReload = (): void => reload(ready, life);
    process.on('SIGHUP', onReload);
    parent?.onReload(onReload);
    const { addresses } = ready;
    const startMs = Math.round(performance.now() - startedAtMs);
    // Whoever waits for `ready` waits for all workers.
    const event = parent === undefined ? 'ready' : 'worker_ready';
    log.info(event, { daemon, ...addresses, pid: process.pid, version, startMs });
    parent?.ready(addresses);
  }

  const reason = await stopped;
  const deadlineMs = settings['drain-deadline'];
  log.info('stopping', { signal: reason, deadlineMs });
  const stoppingAtMs = performance.now();
  // A start that waits for something (a store that does not answer) is given the same time.
  const running = ready ?? (await within(deadlineMs, starting));
  await running?.close(Math.max(0, deadlineMs - (performance.now() - stoppingAtMs)));
  log.info('stopped', { tookMs: Math.round(performance.now() - stoppingAtMs) });
}

/** SIGHUP: a settings file that is wrong changes nothing. */
function reload(running: Running, { reread, settings, log }: Life): void {
  try {
    running.reload(reread());
    // A parent of workers changes nothing by itself: what comes of it, each worker says.
    if (settings.workers > 1) log.info('settings_passed_on', { workers: settings.workers });
    else log.info('settings_reloaded', { taken: reloadable });
  } catch (error) {
    log.error('settings_refused', { error: error instanceof Error ? error.message : String(error) });
  }
}

function logOf(settings: SettingValues, io: Io, parent: ParentProcess | undefined): Log {
  const log = createLog({
    level: settings['log-level'],
    format: settings['log-format'] ?? (io.stderrIsTerminal ? 'pretty' : 'json'),
    write: io.err,
    colours: io.stderrIsTerminal,
  });
  return parent === undefined ? log : log.with({ worker: parent.worker });
}

/** @returns undefined when the time is over first */
async function within<T>(deadlineMs: number, work: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), deadlineMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

const leaveAfterMs = 500;

/** Everything has been closed by now, as far as it was begun: a handle that somebody forgot must not keep the process. */
function leaveSoon(code: ExitCode): void {
  setTimeout(() => process.exit(code), leaveAfterMs).unref();
}

/** A fault of the catalogue is for the person who started the daemon; anything else is a defect. */
function startFailure(error: unknown): unknown {
  if (!(error instanceof TabaError)) return error;
  // What a running daemon waits for, a start does not: whoever waits should see why.
  const remedy =
    error.code === 'store_failed'
      ? 'Nothing was started: start it again when the store answers.'
      : error.row.remedy;
  return new CommandFailure(`${error.message} (${error.code}). ${remedy}`);
}

function limitsOf(settings: SettingValues): Limits {
  return {
    maxBodyBytes: settings['max-body-bytes'],
    maxDecompressedBytes: settings['max-decompressed-bytes'],
    maxFrameBytes: settings['max-frame-bytes'],
    maxValueBytes: settings['max-value-bytes'],
    maxNameBytes: settings['max-name-bytes'],
    maxResultBytes: settings['max-result-bytes'],
    maxExpressionBytes: settings['max-expression-bytes'],
    maxTabs: settings['max-tabs'],
    maxClients: settings['max-clients'],
    maxConnections: settings['max-connections'],
    maxOpenBlocksPerBucket: settings['max-open-blocks'],
    allowedSkewSec: settings['allowed-skew'] / 1000,
  };
}

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
import { CommandFailure } from './usage-error.js';
import { version } from './version.js';

/** What every daemon is made from. */
export interface Ingredients {
  readonly settings: SettingValues;
  readonly isGiven: (name: keyof SettingValues) => boolean;
  readonly registry: HandlerRegistry;
  readonly limits: Limits;
  readonly clock: Clock;
  readonly log: Log;
}

/** A daemon that is ready. */
export interface Running {
  /** Where it is reached, by role. */
  readonly addresses: Readonly<Record<string, string>>;
  close(deadlineMs: number): Promise<void>;
}

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
  const log = createLog({
    level: settings['log-level'],
    format: settings['log-format'] ?? (io.stderrIsTerminal ? 'pretty' : 'json'),
    write: io.err,
    colours: io.stderrIsTerminal,
  });
  for (const { event, fields } of notes) log.info(event, fields);
  const registry = handlersWith(settings['additional-handlers']);
  const endProfile = settings.profile === undefined ? undefined : await startProfile(settings.profile);

  // Listening to signals before the start: as process 1, a process without handlers could not be stopped at all.
  const stopped = stopSignal(log);
  const startedAtMs = performance.now();
  const isGiven = (name: keyof SettingValues) => given.has(name);
  const running = await start({
    settings,
    isGiven,
    registry,
    limits: limitsOf(settings),
    clock: systemClock({
      onJump: ({ kind, aheadMs, reason }) =>
        log.warn('clock_jumped', { jumpMs: aheadMs, action: kind, reason }),
    }),
    log,
  }).catch((error: unknown) => {
    throw startFailure(error);
  });
  log.info('ready', {
    daemon,
    ...running.addresses,
    pid: process.pid,
    version,
    startMs: Math.round(performance.now() - startedAtMs),
  });

  const signal = await stopped;
  log.info('stopping', { signal, deadlineMs: settings['drain-deadline'] });
  const stoppingAtMs = performance.now();
  try {
    await running.close(settings['drain-deadline']);
  } finally {
    await endProfile?.();
  }
  log.info('stopped', { tookMs: Math.round(performance.now() - stoppingAtMs) });
  leaveSoon(0);
  return 0;
}

/** The first SIGTERM or SIGINT. A second one ends the process at once: whoever sends it does not want to wait. */
function stopSignal(log: Log): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let isStopping = false;
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => {
        if (isStopping) {
          log.warn('stopped_at_once', { signal, reason: 'a second signal' });
          process.exit(1);
        }
        isStopping = true;
        resolve(signal);
      });
    }
  });
}

const leaveAfterMs = 500;

/** Everything has been closed by now: a handle that somebody forgot must not keep the process. */
function leaveSoon(code: ExitCode): void {
  setTimeout(() => process.exit(code), leaveAfterMs).unref();
}

/** A fault of the catalogue is for the person who started the daemon; anything else is a defect. */
function startFailure(error: unknown): unknown {
  if (!(error instanceof TabaError)) return error;
  return new CommandFailure(`${error.message} (${error.code}). ${error.row.remedy}`);
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

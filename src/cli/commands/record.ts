import { createInterface } from 'node:readline';
import { askOptions, serverOf } from '../ask.js';
import type { Arguments, Command } from '../command.js';
import type { ExitCode, Io } from '../io.js';
import { type EventDefaults, eventLine, textEvent } from '../record/event-line.js';
import type { Poster } from '../record/poster.js';
import { CommandFailure, UsageError } from '../usage-error.js';

const shownRejections = 100;
const progressEveryMs = 200;

export const record: Command = {
  name: 'record',
  positionals: '[name] [value]',
  summary: 'Record one event, or many from standard input',
  details: `Records one event (the value is 1 unless given), or, without a name, every line of standard input: NDJSON as for
/events, or NAME VALUE [TYPE] [SECONDS]. Sends to a server or an agent. Lines whose answer is lost are sent again, and count
once; they may count twice where an agent without a spool is restarted meanwhile, or another agent gets them.`,
  examples: [
    ['taba record bids_won', 'one event of 1'],
    ['taba record winning_bid_price 1.37 --client host-1', 'one event of another client'],
    ['taba record build_state green --type Gauge', 'a value that is text'],
    ['taba record < events.ndjson', 'many'],
  ],
  options: {
    ...askOptions,
    server: { placeholder: 'URL', description: `server or agent to send to, else TABA_SERVER` },
    type: { placeholder: 'TYPE', description: 'tab type [CounterGroup]' },
    client: { placeholder: 'ID', description: 'client id; without one, the host that takes the events' },
    timestamp: { placeholder: 'SECONDS', description: 'seconds since 1970 UTC, instead of now' },
    expiry: { placeholder: 'SECONDS', description: 'when the value expires (ExpiryGauge, Buffer)' },
  },
  async run(args, io) {
    const { Poster } = await import('../record/poster.js');
    const poster = new Poster(serverOf(args, io.env));
    const [name, value = '1'] = args.positionals;
    let fault: Error | undefined;
    if (name === undefined) fault = await recordLines(args, io, poster);
    else {
      const line = textEvent(name, value, defaultsOf(args));
      if ('fault' in line) throw new UsageError(line.fault);
      await poster.add(0, line.json);
    }
    await poster.flush();
    const code = report(args, io, poster, name !== undefined);
    if (fault === undefined) return code;
    throw new CommandFailure(`standard input could not be read to its end: ${fault.message}`);
  },
};

function defaultsOf(args: Arguments): EventDefaults {
  const [client, timestamp, expiry] = ['client', 'timestamp', 'expiry'].map((flag) => args.text(flag));
  return {
    type: args.text('type') ?? 'CounterGroup',
    ...(client !== undefined && { client }),
    ...(timestamp !== undefined && { timestamp }),
    ...(expiry !== undefined && { expiry }),
  };
}

/** @returns why the input could not be read to its end, if so: what came before is recorded all the same */
async function recordLines(args: Arguments, io: Io, poster: Poster): Promise<Error | undefined> {
  let fault: Error | undefined;
  io.stdin.once('error', (error: Error) => {
    fault = error;
  });
  try {
    await readLines(args, io, poster);
  } catch (error) {
    if (error !== fault) throw error;
  }
  return fault;
}

async function readLines(args: Arguments, io: Io, poster: Poster): Promise<void> {
  if (io.stdin.isTTY) io.err('taba: reading events from the terminal, one a line; Ctrl-D ends\n');
  const defaults = defaultsOf(args);
  let number = 0;
  let shownAtMs = Date.now();
  let isShown = false;
  for await (const text of createInterface({ input: io.stdin, crlfDelay: Number.POSITIVE_INFINITY })) {
    number += 1;
    const line = eventLine(text, defaults);
    if (line === undefined) continue;
    if ('fault' in line) poster.reject({ line: number, code: 'bad_event', message: line.fault });
    else await poster.add(number, line.json);
    if (io.stderrIsTerminal && Date.now() - shownAtMs >= progressEveryMs) {
      shownAtMs = Date.now();
      isShown = true;
      io.err(`\r${number.toLocaleString('en')} lines, ${poster.accepted.toLocaleString('en')} accepted`);
    }
  }
  if (isShown) io.err('\r\u001b[K');
}

function report(args: Arguments, io: Io, poster: Poster, isSingle: boolean): ExitCode {
  const { accepted, rejected, rejectedTotal } = poster;
  if (args.isOn('json')) {
    io.out(`${JSON.stringify({ accepted, rejectedTotal, rejected })}\n`);
  } else {
    for (const { line, code, message } of rejected.slice(0, shownRejections)) {
      io.err(isSingle ? `taba: ${message} (${code})\n` : `line ${line}: ${message} (${code})\n`);
    }
    if (rejectedTotal > shownRejections) io.err(`… and ${rejectedTotal - shownRejections} more\n`);
    if (!isSingle) {
      io.out(`${accepted.toLocaleString('en')} accepted, ${rejectedTotal.toLocaleString('en')} rejected\n`);
    }
  }
  return rejectedTotal === 0 ? 0 : 1;
}

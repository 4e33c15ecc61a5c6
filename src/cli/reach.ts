import { askServer, NoAnswer, ServerFault } from '../client/ask-server.js';
import { createReader, type Question, type ReaderRoute } from '../client/reader.js';
import { TabaError } from '../core/errors.js';
import { CommandFailure, DoneInPart } from './usage-error.js';

/** Long enough for the check of a large store; a server that is away is noticed at once by its connection. */
const answerTimeoutMs = 3_600_000;

/** One question to a server. @throws CommandFailure saying what to do */
export async function reach(server: string, route: ReaderRoute, question: Question): Promise<string> {
  try {
    return await createReader({ url: server, timeoutMs: answerTimeoutMs }).answer(route, question);
  } catch (error) {
    if (error instanceof ServerFault && error.code === 'not_found' && (await isAgent(server))) {
      throw new CommandFailure(
        `${server} is an agent, which takes events; questions go to a server (--server or TABA_SERVER; port 8300 unless set otherwise)`,
      );
    }
    throw explained(error);
  }
}

async function isAgent(server: string): Promise<boolean> {
  try {
    const status = await createReader({ url: server, timeoutMs: 2_000 }).status();
    return status.role === 'agent';
  } catch {
    return false;
  }
}

const eventsTimeoutMs = 60_000;

/** Hands events to a server or an agent. @throws ServerFault, NoAnswer */
export async function postEvents(node: string, ndjson: string, idempotencyKey: string): Promise<string> {
  const { text } = await askServer(node, {
    path: '/events',
    method: 'POST',
    accept: 'application/json',
    body: { type: 'application/x-ndjson', content: ndjson },
    headers: { 'idempotency-key': idempotencyKey },
    timeoutMs: eventsTimeoutMs,
  });
  return text;
}

/** Faults that somebody can act on, in the words of who found them, and with what can be done; others as they are. */
export function explained(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  if (error instanceof ServerFault) {
    const { message, code, remedy, done } = error;
    const explanation = remedy === undefined ? message : `${message} (${code}). ${remedy}`;
    return done === undefined ? new CommandFailure(explanation) : new DoneInPart(explanation, done);
  }
  if (error instanceof TabaError) {
    return new CommandFailure(`${error.message} (${error.code}). ${error.row.remedy}`);
  }
  if (error instanceof NoAnswer) {
    return new CommandFailure(
      `${error.message}. Start a server with \`taba up\`, or name one with --server or TABA_SERVER`,
    );
  }
  return error;
}

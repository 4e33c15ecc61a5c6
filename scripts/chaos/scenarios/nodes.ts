import { join } from 'node:path';
import { nodeStatus } from '../oracle.js';
import { ScenarioFailure } from './scenario.js';
import type { Actor, ActorOptions, Stage } from './stage.js';

/** A server on the embedded store; its own metrics would only be in the way. Not started yet. */
export function embeddedServer(
  stage: Stage,
  flags: readonly string[] = [],
  options: ActorOptions = {},
): Promise<Actor> {
  const data = join(stage.folder, 'data');
  return stage.actor('server', ['server', '--data', data, '--self-instrument', 'false', ...flags], options);
}

export interface AgentOptions extends ActorOptions {
  readonly servers: readonly string[];
  /** Its own folder unless given. */
  readonly spool?: string;
  readonly flags?: readonly string[];
}

/** An agent with a spool. Not started yet. */
export function spooledAgent(stage: Stage, name: string, options: AgentOptions): Promise<Actor> {
  const { servers, spool = join(stage.folder, `${name}-spool`), flags = [], ...rest } = options;
  const command = [
    'agent',
    ...servers.flatMap((url) => ['--server', url]),
    ...['--spool', spool, '--flush-interval', '50', '--self-instrument', 'false'],
    ...flags,
  ];
  return stage.actor(name, command, rest);
}

/** Waits until an agent holds nothing any more, and checks that its books balance, with nothing dropped. */
export async function untilHandedOver(
  stage: Stage,
  { name, url }: Actor,
  deadlineMs?: number,
): Promise<void> {
  const empty = async (): Promise<boolean> => (await nodeStatus(url)).books.buffered === 0;
  await stage.until(`${name} to hand everything over`, empty, deadlineMs);
  const { books } = await nodeStatus(url);
  if (books.balance !== 0 || Object.keys(books.dropped).length > 0) {
    throw new ScenarioFailure(`the books of ${name}: ${JSON.stringify(books)}`);
  }
}

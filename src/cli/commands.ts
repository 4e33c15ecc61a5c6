import type { Command } from './command.js';
import { agent } from './commands/agent.js';
import { agg } from './commands/agg.js';
import { bench } from './commands/bench.js';
import { check } from './commands/check.js';
import { clients } from './commands/clients.js';
import { completion } from './commands/completion.js';
import { deleteTabs } from './commands/delete.js';
import { flushAll } from './commands/flush-all.js';
import { gc } from './commands/gc.js';
import { latency } from './commands/latency.js';
import { map } from './commands/map.js';
import { names } from './commands/names.js';
import { proj } from './commands/proj.js';
import { recompute } from './commands/recompute.js';
import { record } from './commands/record.js';
import { server } from './commands/server.js';
import { servers } from './commands/servers.js';
import { status } from './commands/status.js';
import { superAggregate } from './commands/super.js';
import { types } from './commands/types.js';
import { up } from './commands/up.js';
import { upgrade } from './commands/upgrade.js';

/** Every command, in the order of the help. */
export const commands: readonly Command[] = [
  up,
  agent,
  server,
  record,
  map,
  agg,
  proj,
  superAggregate,
  names,
  clients,
  types,
  status,
  servers,
  latency,
  deleteTabs,
  gc,
  check,
  upgrade,
  recompute,
  flushAll,
  bench,
  completion(() => commands),
];

import { serverOf } from '../ask.js';
import { benchOptions, sharesOf, warmUpOf } from '../bench/flags.js';
import type { Plan } from '../bench/plan.js';
import type { Share } from '../bench/share.js';
import type { Command } from '../command.js';
import type { Io } from '../io.js';

export const bench: Command = {
  name: 'bench',
  positionals: '',
  summary: 'Load a cluster with events of known number, and check that it counts every one',
  details: `Records events with the client library, in processes of their own, into tabs of its own, which it deletes in the end. Prints what
was recorded, how late it showed up, and whether every count and total is exact; ends with 1 when one is not.`,
  examples: [
    ['taba bench', 'a million events a second, for ten seconds, through the agent on this host'],
    ['taba bench --rate 0 --processes 4', 'as fast as it goes'],
    ['taba bench --raw --rate 0', 'numbers in columns, which the agent folds'],
    ['taba bench --tabs 30000 --zipf --clients 20 --rate 10000000', 'many tabs, of which few are popular'],
  ],
  options: benchOptions,
  async run(args, io) {
    const { recordInProcesses, shareVariable } = await import('../bench/processes.js');
    const ordered = io.env[shareVariable];
    if (ordered !== undefined) {
      const share = JSON.parse(ordered) as Share;
      const { recordShare } = await import('../bench/share.js');
      const { sendRawShare } = await import('../bench/raw-share.js');
      io.out(JSON.stringify(await (share.raw ? sendRawShare : recordShare)(share)));
      return 0;
    }
    const server = serverOf(args, io.env);
    const shares = sharesOf(args);
    const [{ plan }] = shares;
    const warmUpSec = warmUpOf(args, shares[0]);
    const { explained, reach } = await import('../reach.js');
    const { FreshnessWatch } = await import('../bench/freshness.js');
    const { verify } = await import('../bench/verification.js');
    const { reportOf, textOf } = await import('../bench/report.js');
    // Whoever named a server that is away, or an agent, hears of it now.
    await reach(server, '/servers', {});
    const tabs = shares.flatMap(({ probe = [] }) => probe);
    const watch = new FreshnessWatch({ tabs, server, warmUpSec });
    try {
      const results = await recordInProcesses(shares, io.program, io.env);
      const eventsOfClients = results.flatMap(({ events }) => events);
      const missing = results.reduce((sum, { lost, rejected }) => sum + lost + rejected, 0);
      const verification = await verify(plan, eventsOfClients, missing, server);
      const freshness = await watch.end(results.map(({ probedAtMs }) => probedAtMs));
      const report = reportOf(results, verification, freshness);
      io.out(args.isOn('json') ? `${JSON.stringify(report)}\n` : textOf(report));
      return verification.wrongTabs.length === 0 ? 0 : 1;
    } catch (error) {
      throw explained(error);
    } finally {
      await watch.stop();
      if (!args.isOn('keep')) await deleteTabs(plan, server, io);
    }
  },
};

/** What cannot be deleted is named, and left to whoever reads that: what the run found is not to be lost by it. */
async function deleteTabs(plan: Plan, server: string, io: Io): Promise<void> {
  const { createReader } = await import('../../client/reader.js');
  const pattern = `${plan.prefix.replaceAll('.', '\\.')}\\.`;
  try {
    await createReader({ url: server }).answer('/delete', { names: [pattern], re: true });
  } catch (error) {
    if ((error as { code?: unknown }).code === 'unknown_tab') return;
    io.err(
      `taba: the tabs of this run are still there: ${(error as Error).message}. Delete them with \`taba delete --re '${pattern}'\`\n`,
    );
  }
}

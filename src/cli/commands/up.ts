import { join } from 'node:path';
import type { Command } from '../command.js';

export const up: Command = {
  name: 'up',
  positionals: '',
  summary: 'Run a server and an agent in one process: the quick start',
  details: `Runs a server (port 8300) and an agent (port 8279) in one process, on the embedded store unless --redis or --sentinel names
another. The agent spools below the folder --data unless --spool names another.`,
  examples: [
    ['taba up', 'then: taba record bids_won; taba agg bids_won'],
    ['taba up --data /var/lib/taba --host 0.0.0.0', 'for the network, on a folder that stays'],
  ],
  options: {},
  daemon: 'up',
  async run(args, io) {
    const { runDaemon } = await import('../daemon.js');
    const { agentFrom, serverFrom } = await import('../roles.js');
    const { mappingOf } = await import('../mapping.js');
    return runDaemon('up', args, io, async (ingredients) => {
      const { settings } = ingredients;
      const server = await serverFrom(ingredients, false);
      try {
        const agent = await agentFrom(ingredients, {
          port: settings['agent-port'],
          servers: [server.url],
          spool: settings.spool ?? (settings.store === 'memory' ? undefined : join(settings.data, 'spool')),
        });
        return {
          addresses: { server: server.url, agent: agent.url },
          reload(changed) {
            const mapping = mappingOf(changed, ingredients.registry);
            agent.setMapping(mapping);
            server.setMapping(mapping);
          },
          async close(deadlineMs) {
            const beganAtMs = performance.now();
            // The agent first: the server takes what it still holds.
            await agent.close(deadlineMs);
            await server.close(Math.max(0, deadlineMs - (performance.now() - beganAtMs)));
          },
        };
      } catch (error) {
        await server.close(0);
        throw error;
      }
    });
  },
};

import type { Command } from '../command.js';

export const agent: Command = {
  name: 'agent',
  positionals: '',
  summary: 'Run the agent of a host: takes events, folds them, sends them to servers',
  examples: [
    ['taba agent --server http://taba-0:8300 --spool /var/lib/taba', 'keeps what it accepted over a crash'],
    ['taba agent --config agent.json', "settings from a file; the first Taba's are read as they are"],
  ],
  options: {},
  daemon: 'agent',
  async run(args, io) {
    const { runDaemon } = await import('../daemon.js');
    const { agentFrom } = await import('../roles.js');
    const { mappingOf } = await import('../mapping.js');
    return runDaemon('agent', args, io, async (ingredients) => {
      const { settings } = ingredients;
      const running = await agentFrom(ingredients, {
        port: settings.port,
        servers: settings.server,
        spool: settings.spool,
      });
      return {
        addresses: { agent: running.url },
        reload: (changed) => running.setMapping(mappingOf(changed, ingredients.registry)),
        close: (deadlineMs) => running.close(deadlineMs),
      };
    });
  },
};

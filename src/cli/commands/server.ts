import type { Command } from '../command.js';

export const server: Command = {
  name: 'server',
  positionals: '',
  summary: 'Run a server: takes events and Blocks, reduces and keeps them, answers queries',
  examples: [
    ['taba server --data /var/lib/taba --host 0.0.0.0', 'one server for the network'],
    ['taba server --store memory --port 0', 'a throw-away one on a free port'],
    ['taba server --redis redis://127.0.0.1:6379', 'one of several that share a Redis'],
    [
      'taba server --role be --sentinel s1:26379,s2:26379 --shard shard1:0-499 --shard shard2:500-999',
      'an owner of a cluster on two shards, which Sentinels name',
    ],
    ['taba server --config server.json', "settings from a file; the first Taba's are read as they are"],
  ],
  options: {},
  daemon: 'server',
  async run(args, io) {
    const { runDaemon } = await import('../daemon.js');
    const { serverFrom } = await import('../roles.js');
    const { mappingOf } = await import('../mapping.js');
    const { parentProcess } = await import('../worker-channel.js');
    return runDaemon('server', args, io, async (ingredients) => {
      const { settings, clock, log } = ingredients;
      if (settings.workers > 1) {
        const { startWorkers } = await import('../workers.js');
        const { workerCommand } = await import('../worker-arguments.js');
        const workers = await startWorkers({
          ...{ clock, log, folder: io.folder, count: settings.workers, program: io.program },
          command: (worker, portBefore) =>
            workerCommand({ flags: args.flags, env: io.env, settings, worker, portBefore }),
        });
        return {
          ...workers,
          reload(changed) {
            // Rules that are wrong are refused here, once.
            mappingOf(changed, ingredients.registry);
            workers.reload();
          },
        };
      }
      // Of several processes on one machine, one listens.
      const running = await serverFrom(ingredients, (parentProcess(io.env)?.worker ?? 0) === 0);
      return {
        addresses: { server: running.url },
        reload: (changed) => running.setMapping(mappingOf(changed, ingredients.registry)),
        close: (deadlineMs) => running.close(deadlineMs),
      };
    });
  },
};

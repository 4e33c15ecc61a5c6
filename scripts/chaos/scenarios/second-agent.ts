import { join } from 'node:path';
import { embeddedServer, spooledAgent, untilHandedOver } from './nodes.js';
import type { Scenario } from './scenario.js';
import { SdkApp } from './sdk-app.js';

export const secondAgent: Scenario = {
  name: 'second-agent',
  number: 17,
  description: 'a second agent on one spool folder is refused, even while the first one is frozen',
  async run(stage) {
    const server = await embeddedServer(stage);
    const spool = join(stage.folder, 'spool');
    const first = await spooledAgent(stage, 'agent1', { servers: [server.url], spool });
    const second = await spooledAgent(stage, 'agent2', { servers: [server.url], spool });
    await first.daemon.start();
    const app = new SdkApp({ client: 'app', url: first.url, seed: stage.seed });
    stage.defer(() => app.close());
    app.record(500);
    await app.handOver();
    stage.did('an agent has taken 500 events into its spool, while no server runs');

    const refused = async (when: string): Promise<void> => {
      const ending = await second.daemon.start().then(
        () => 'it is ready',
        () => second.daemon.ending,
      );
      const said = second.log.map((line) => String(line.text ?? JSON.stringify(line))).join('\n');
      stage.check(ending === 'exit code 2' || ending === 'exit code 1', `a second agent is refused ${when}`, {
        ending,
        said,
      });
      stage.check(/in use by another process/.test(said), 'and says that the folder is in use', said);
    };
    await refused('while the first one runs');
    first.daemon.freeze();
    await refused('while the first one is frozen');
    first.daemon.thaw();

    app.record(500);
    await app.handOver();
    await server.daemon.start();
    await untilHandedOver(stage, first);
    await stage.compare(server.url, [app.report]);

    await first.daemon.kill();
    await second.daemon.start();
    stage.did('the first one is killed: the second one starts on its spool');
    await untilHandedOver(stage, second);
    await stage.compare(server.url, [app.report]);
  },
};

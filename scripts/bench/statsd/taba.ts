import { freePort } from '../../process/free-port.js';
import { TabaPair } from '../taba-pair.js';
import type { StatsdProgram } from './program.js';
import { nameOf, totalOf } from './traffic.js';

/** An agent that takes StatsD, before a server. @param taba how to run the executable */
export async function startTaba(taba: readonly string[]): Promise<StatsdProgram> {
  const port = await freePort();
  const pair = await TabaPair.start(taba, ['--statsd-port', String(port)]);
  return {
    ...{ name: 'Taba', port, pids: pair.pids },
    counted: () => pair.delivered(),
    shown: async (traffic) => {
      const tabs = await pair.tabs('bench');
      let events = 0;
      let wrongNames = 0;
      for (let index = 0; index < traffic.names; index++) {
        const tab = tabs[nameOf(index)] ?? { count: 0, total: 0 };
        events += tab.count;
        if (tab.count !== traffic.rounds || tab.total !== totalOf(traffic, index)) wrongNames++;
      }
      const { datagrams, datagrams_dropped: dropped } = (await pair.status()).statsd!;
      return { events, wrongNames, dropped: dropped ?? undefined, received: datagrams };
    },
    stop: () => pair.stop(),
  };
}

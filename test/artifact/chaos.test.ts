/** A short run of chaos with a seed of its own each time: the long ones are for people (`npm run chaos`). */
import t from 'tap';
import { runEmbeddedChaos } from '../../scripts/chaos/embedded.js';

t.setTimeout(280_000);

t.test('30 s of kills, freezes and cut connections: every count is exact', async (t) => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const lines: string[] = [];
  const print = (line: string): void => {
    lines.push(line);
    t.comment(line);
  };
  const options = { seed, durationSec: 30, clients: 3, tabs: 200, eventsPerSec: 5000, print };
  t.ok(await runEmbeddedChaos(options), `npm run chaos -- --seed ${seed}\n${lines.join('\n')}`);
});
